// Columns as packing.py stores them: narrow integers, differences where they run on, gzip, base64.

const ARRAYS = { 1: Int8Array, 2: Int16Array, 4: Int32Array, 8: Float64Array };
const NULLS = { 1: -128, 2: -32768, 4: -2147483648 };

function fromBase64(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

async function gunzip(id) {
  const element = document.getElementById(id);
  const stream = new Blob([fromBase64(element.textContent.trim())]).stream();
  const buffer = await new Response(stream.pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
  element.remove(); // the text is no longer needed
  return buffer;
}

async function unpackText(id) {
  const text = new TextDecoder().decode(await gunzip(id));
  return text === "" ? [] : text.split("\n");
}

/** Columns by name, as Float64Array; null is NaN. */
async function unpackColumns(block) {
  const buffer = await gunzip(block.id);
  const columns = {};
  let offset = 0;
  for (const column of block.columns) {
    const bytes = column.width * column.count;
    const stored = new ARRAYS[column.width](buffer.slice(offset, offset + bytes));
    columns[column.name] = column.running ? running(stored, column) : plain(stored, column);
    offset += bytes;
  }
  return columns;
}

function running(stored, { first, unit }) {
  const values = new Float64Array(stored.length);
  for (let i = 0, value = first; i < stored.length; i++) values[i] = value += stored[i] * unit;
  return values;
}

function plain(stored, { width, scale = 1 }) {
  const values = new Float64Array(stored.length);
  const absent = NULLS[width];
  for (let i = 0; i < stored.length; i++) values[i] = stored[i] === absent ? NaN : stored[i] / scale;
  return values;
}
