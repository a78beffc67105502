/** Registers, sends events and lists a view with the types that were made of the document. */

import createClient from "openapi-fetch";
import type { components, paths } from "./api.js";

declare const process: { env: Record<string, string> };
type Schemas = components["schemas"];

function same(found: unknown, wanted: unknown) {
  const [left, right] = [JSON.stringify(found), JSON.stringify(wanted)];
  if (left !== right) throw new Error(`${left} is not ${right}`);
}

const client = createClient<paths>({
  baseUrl: process.env.BASE,
  // As the document says of filters; the library's own way is another one.
  querySerializer: { object: { style: "form", explode: true } },
});
const session = await client.POST("/api/v1/auth/register", {
  body: { name: "TypeScript", email: "ts@acme.example", password: "seven otters juggle plums" },
});
client.use({
  onRequest({ request }) {
    request.headers.set("authorization", `Bearer ${session.data!.access_token}`);
  },
});

const connection = await client.POST("/api/v1/aam/connections", {
  body: { name: "CRM", source_type: "filesource", connector_config: {} },
});
const id = connection.data!.id;
const envelope = (account_id: string, name: string): Schemas["Envelope"] => ({
  source: { system: "crm", connection_id: id },
  entity: "account",
  op: "upsert",
  data: { account_id, name },
});
const cloudEvent: Schemas["CloudEvent"] = {
  specversion: "1.0",
  id: "e4",
  source: `/connections/${id}/crm`,
  type: "account.upsert",
  data: { account_id: "4", name: "Dachs" },
};
const one = await client.POST("/api/v1/events", { body: envelope("1", "Acme") });
same(one.data?.accepted, 1);
const several = [envelope("2", "Bauer"), envelope("3", "Acme Steel"), cloudEvent];
same((await client.POST("/api/v1/events", { body: several })).data?.accepted, 3);

const page = await client.GET("/api/v1/dcl/views/{view}", {
  params: {
    path: { view: "accounts" },
    query: { filters: { "name[ilike]": "%acme%" }, sort: "name" },
  },
});
same((page.data!.data as Schemas["Account"][]).map((it) => it.name), ["Acme", "Acme Steel"]);
const refused = await client.GET("/api/v1/dcl/views/{view}", {
  params: { path: { view: "accounts" }, query: { limit: 5000 } },
});
same(refused.error?.errors?.[0].pointer, "?limit");
console.log("the client in TypeScript lists a view and sends events");
