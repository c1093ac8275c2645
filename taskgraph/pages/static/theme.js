// The theme, before anything is painted: the system's, or what was chosen here before.
"use strict";
try {
  const chosen = localStorage.getItem("theme");
  if (chosen === "light" || chosen === "dark") {
    document.documentElement.dataset.theme = chosen;
  }
} catch {
  // In a frame a browser may keep nothing: then it is the system's.
}
