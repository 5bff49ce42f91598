// Resolves to `{ value }` once the condition holds, or to `{ why }` it does not when the time is up.
async (condition, milliseconds) => {
  const end = performance.now() + milliseconds;
  for (;;) {
    let why = "it does not hold";
    try {
      // Half a document would answer for all of it.
      if (document.readyState === "loading") why = "the document is still coming";
      const value = document.readyState !== "loading" && (await condition());
      if (value) return { value: Array.isArray(value) ? value : true };
    } catch (error) {
      why = String(error);
    }
    if (performance.now() >= end) return { why };
    await new Promise(requestAnimationFrame);
  }
}
