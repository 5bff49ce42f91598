// `{ value }` if the condition holds, or `{ why }` it does not.
(condition) => {
  try {
    if (document.readyState === "loading") return { why: "the document is still coming" };
    const value = condition();
    if (value instanceof Promise) return { why: "a promise comes to nothing without scripts" };
    if (value) return { value: Array.isArray(value) ? value : true };
    return { why: "it does not hold" };
  } catch (error) {
    return { why: String(error) };
  }
}
