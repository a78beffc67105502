"use strict";

/** Whoever registers or signs in on the page is signed in on the page. */
function signIn(response) {
  const token = response.ok && response.obj?.access_token;
  if (token) {
    const bearer = { name: "bearer", schema: { type: "http", scheme: "bearer" }, value: token };
    viewer.authActions.authorizeWithPersistOption({ bearer });
  }
  return response;
}

const viewer = SwaggerUIBundle({
  dom_id: "#viewer",
  url: "openapi.json",
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  filter: true,
  persistAuthorization: true,
  responseInterceptor: signIn,
  tryItOutEnabled: true,
});
