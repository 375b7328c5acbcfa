// Open the sweep, draw, connect.

function openPage() {
  const root = document.documentElement;
  followPrinter();
  const sweep = openSweep(JSON.parse(byId("facts").textContent));
  const columns = combinationColumns(sweep);
  const list = new RowList(sweep, columns, (i) => (byId("chosen").textContent = inWords(sweep, i)));
  const first = columns.find((column) => column.figure === sweep.sort);
  if (first) list.sortBy(first);
  new HeatMap(sweep, (i) => {
    list.show(i);
    byId("all").scrollIntoView();
  });
  root.dataset.ready = "all";
}

try {
  openPage();
} catch (error) {
  byId("trouble").textContent = `The map could not be drawn (${error.message}). The tables on this page are complete.`;
  byId("trouble").hidden = false;
  document.documentElement.dataset.ready = "failed";
  throw error;
}
