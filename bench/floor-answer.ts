/** What any webhook in Node has to do: parse the review, and answer with a patch, here always the same one. */
export function floorAnswer(body: Buffer, patch: string): string {
  const { apiVersion, kind, request } = JSON.parse(body.toString());
  const response = { uid: request.uid, allowed: true, patchType: "JSONPatch", patch };
  return JSON.stringify({ apiVersion, kind, response });
}
