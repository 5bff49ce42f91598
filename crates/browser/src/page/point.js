// Where the one element is that a selector selects, as `[x, y]` in the viewport, once a click there would reach it.
(selector) => {
  const found = document.querySelectorAll(selector);
  if (found.length !== 1) throw `${found.length} elements are selected`;
  const [element] = found;
  if (element.matches(":disabled")) throw "it is disabled";
  element.scrollIntoView({ block: "center", inline: "center", behavior: "instant" });
  // Of a link that is broken into lines, the first.
  const [box] = element.getClientRects();
  if (!box?.width || !box.height) throw "it is not visible";
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  const hit = document.elementFromPoint(x, y);
  if (!hit) throw "it is outside of the window";
  const reached = element.contains(hit) || hit.closest("label")?.control === element;
  if (!reached) throw `it is covered by ${hit.cloneNode().outerHTML}`;
  return [x, y];
}
