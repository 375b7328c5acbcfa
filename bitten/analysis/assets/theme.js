(() => {
  "use strict";
  // In the head, before anything is painted: the page follows the system until the reader decides.
  const system = window.matchMedia("(prefers-color-scheme: dark)");
  const root = document.documentElement;
  root.classList.toggle("dark", system.matches);
  system.addEventListener("change", () => {
    if (root.dataset.theme) return;
    root.classList.toggle("dark", system.matches);
    document.dispatchEvent(new Event("themechange"));
  });
  document.addEventListener("DOMContentLoaded", () => {
    const button = document.getElementById("theme");
    const label = () => (button.textContent = root.classList.contains("dark") ? "Light" : "Dark");
    button.addEventListener("click", () => {
      root.dataset.theme = root.classList.toggle("dark") ? "dark" : "light";
      document.dispatchEvent(new Event("themechange"));
    });
    document.addEventListener("themechange", label);
    label();
  });
})();
