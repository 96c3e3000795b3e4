/**
 * A JSON object whose last member is a list that is made while it is sent: `head` with the further member `name`.
 * Each item is one piece, so that whoever sends them can give way in between.
 */
export async function* jsonWithList(
  head: Readonly<Record<string, unknown>>,
  name: string,
  items: AsyncIterable<unknown> | Iterable<unknown>,
): AsyncGenerator<string> {
  const opening = JSON.stringify(head).slice(0, -1);
  yield `${opening}${opening === '{' ? '' : ','}${JSON.stringify(name)}:[`;
  let isFirst = true;
  for await (const item of items) {
    yield `${isFirst ? '' : ','}${JSON.stringify(item)}`;
    isFirst = false;
  }
  yield ']}';
}
