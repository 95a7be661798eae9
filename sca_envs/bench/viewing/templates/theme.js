// Light or dark: the system's choice until the reader makes one.

const chosenTheme = () => {
  try {
    return localStorage.getItem("sca-theme");
  } catch {
    return null; // a browser may refuse storage to a page from a file
  }
};

const applyTheme = (theme) => {
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
};

const switchTheme = () => {
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  applyTheme((root.dataset.theme ?? system) === "dark" ? "light" : "dark");
  try {
    localStorage.setItem("sca-theme", root.dataset.theme);
  } catch {
    // the choice lasts as long as the page
  }
};

applyTheme(chosenTheme());
