/** A value made at its first use: schemas of preset files, which a built command never needs, cost a tenth of its start. */
export function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
