//! The examples of the document, pressed one after the other as somebody on `/docs` does.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::Method;
use serde_json::{Value, json};
use tests::app::{JSON, Person, TestApp};
use tests::fixtures::files::upload_files;
use tests::fixtures::jobs::run_all;
use tests::fixtures::postgres_source::{ACCOUNTS_TABLE, accounts_object, connect_postgres};
use tests::source::Source;

struct Page {
    app: TestApp,
    person: Option<Person>,
    document: Value,
    pressed: BTreeSet<String>,
}

impl Page {
    async fn open() -> Page {
        let app = TestApp::start().await;
        let document = app.get("/openapi.json", None).await.json();
        Page {
            app,
            person: None,
            document,
            pressed: BTreeSet::new(),
        }
    }

    /// Method, path and description of each operation.
    fn operations(&self) -> impl Iterator<Item = (&str, &str, &Value)> {
        let paths = self.document["paths"].as_object().unwrap().iter();
        paths.flat_map(|(path, item)| {
            let operations = item.as_object().unwrap().iter();
            operations.map(move |(method, it)| (method.as_str(), path.as_str(), it))
        })
    }

    /// What a schema refers to.
    fn resolve<'a>(&'a self, schema: &'a Value) -> &'a Value {
        match schema["$ref"].as_str() {
            Some(name) => self.document.pointer(&name[1..]).unwrap(),
            None => schema,
        }
    }

    /// The example of an operation's body, as a viewer shows it.
    fn body(&self, operation: &Value) -> Option<Value> {
        let content = &operation["requestBody"]["content"]["application/json"];
        let mut schema = self.resolve(content.get("schema")?);
        while let Some(first) = schema["oneOf"].get(0) {
            schema = self.resolve(first);
        }
        let id = &operation["operationId"];
        Some(
            schema["examples"]
                .get(0)
                .unwrap_or_else(|| panic!("{id} has no example"))
                .clone(),
        )
    }

    /// Sends an operation's example, of which the path and the body get what only an answer says.
    async fn press(&mut self, id: &str, path: &[(&str, &str)], body: &[(&str, &Value)]) -> Value {
        let (method, url, sent) = self.request(id, path, body);
        let sent = sent.map_or(Body::empty(), |it| Body::from(it.to_string()));
        let person = self.person.as_ref();
        let answer = self.app.send(method, &url, person, sent, &[JSON]).await;
        assert!(answer.status.is_success(), "{id} {url}: {answer}");
        self.pressed.insert(id.to_owned());
        serde_json::from_slice(&answer.body).unwrap_or_default()
    }

    fn request(
        &self,
        id: &str,
        path: &[(&str, &str)],
        body: &[(&str, &Value)],
    ) -> (Method, String, Option<Value>) {
        let mut operations = self.operations();
        let found = operations.find(|it| it.2["operationId"] == id);
        let (method, template, operation) = found.unwrap_or_else(|| panic!("no {id}"));
        let mut url = template.to_owned();
        let mut query = Vec::new();
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let name = parameter["name"].as_str().unwrap();
            let given = path.iter().find(|it| it.0 == name).map(|it| json!(it.1));
            let Some(value) = given.or_else(|| self.example(parameter)) else {
                assert_ne!(parameter["required"], true, "{id}: {name}");
                continue;
            };
            match (parameter["in"].as_str(), value) {
                (Some("path"), value) => {
                    url = url.replace(&format!("{{{name}}}"), value.as_str().unwrap());
                }
                (_, Value::Object(fields)) => query.extend(fields),
                (_, value) => query.push((name.to_owned(), value)),
            }
        }
        let query = query.iter().map(|(name, value)| {
            let name = name.replace('[', "%5B").replace(']', "%5D");
            format!("{name}={}", value.as_str().unwrap())
        });
        let query = query.collect::<Vec<_>>().join("&");
        let sent = self.body(operation).map(|mut sent| {
            for (pointer, value) in body {
                *sent.pointer_mut(pointer).unwrap() = (*value).clone();
            }
            sent
        });
        let method = method.to_uppercase().parse().unwrap();
        (method, format!("{url}?{query}"), sent)
    }

    /// What a viewer fills in: the example, else the first word of what has to be chosen.
    fn example(&self, parameter: &Value) -> Option<Value> {
        let first = || self.resolve(&parameter["schema"])["enum"].get(0);
        let required = parameter["required"] == true;
        let found = parameter.get("example");
        found.or_else(|| first().filter(|_| required)).cloned()
    }

    async fn sign_in(&mut self) {
        let session = self.press("register.create", &[], &[]).await;
        self.person = Some(Person::from_session(&session));
        let session = self.press("session.login", &[], &[]).await;
        let token = ("/refresh_token", &session["refresh_token"]);
        let session = self.press("session.refresh", &[], &[token]).await;
        let token = ("/refresh_token", &session["refresh_token"]);
        self.press("session.logout", &[], &[token]).await;
        let (name, email) = (json!("Other"), json!("other@acme.example"));
        let other = [("/name", &name), ("/email", &email)];
        self.press("legacy.create", &[], &other).await;
    }

    /// A file becomes rows, and what it was taken for is changed.
    async fn connect_files(&mut self) {
        let connection = self.press("connections.create", &[], &[]).await;
        let id = connection["id"].as_str().unwrap();
        let path = [("id", id), ("object", "people_crm")];
        self.press("connections.update", &path, &[]).await;
        self.press("mappings.preview", &[], &[]).await;
        self.press("mappings.validate", &[], &[]).await;
        let people: &[u8] = b"Id,Name,E-Mail\n17,Ada Lovelace,ada@acme.example\n";
        let person = self.person.as_ref().unwrap();
        upload_files(&self.app, person, &[("people_crm.csv", people)]).await;
        for id in ["proposals.read", "proposals.reject", "proposals.accept"] {
            self.press(id, &[], &[]).await;
        }
        run_all(&self.app).await;
        for id in ["mappings.create", "mappings.activate", "mappings.field"] {
            self.press(id, &[], &[]).await;
        }
        for id in [
            "objects.change",
            "quarantine.retry",
            "quarantine.discard",
            "replay.all",
            "replay.quarantined",
        ] {
            run_all(&self.app).await;
            self.press(id, &path, &[]).await;
        }
        let id = json!(id);
        let event = [("/source/connection_id", &id)];
        let receipt = self.press("events.create", &[], &event).await;
        assert_eq!(receipt["accepted"], 1, "{receipt}");
    }

    async fn read_a_source(&mut self) {
        let person = self.person.as_ref().unwrap();
        let source = Source::start(ACCOUNTS_TABLE).await;
        let config = source.config(accounts_object());
        let id = connect_postgres(&self.app, person, config).await;
        for operation in ["connections.sync", "connections.discover"] {
            self.press(operation, &[("id", &id)], &[]).await;
        }
    }

    async fn extend_entities(&mut self) {
        for id in ["fields.declare", "fields.change", "entities.declare"] {
            self.press(id, &[], &[]).await;
        }
    }

    async fn manage_people(&mut self) {
        self.press("api_keys.create", &[], &[]).await;
        let invited = self.press("users.invite", &[], &[]).await;
        let token = [("/token", &invited["token"])];
        self.press("invitations.accept", &[], &token).await;
        let users = self.press("users.list", &[], &[]).await;
        let mut users = users["users"].as_array().unwrap().iter();
        let bob = users.find(|it| it["email"] == "bob@acme.example").unwrap();
        let bob = [("id", bob["id"].as_str().unwrap())];
        self.press("users.update", &bob, &[]).await;
        let reset = self.press("password_resets.create", &bob, &[]).await;
        let token = [("/token", &reset["token"])];
        self.press("password_resets.apply", &[], &token).await;
        let session = self.press("password.change", &[], &[]).await;
        let token = session["access_token"].as_str().unwrap().to_owned();
        self.person.as_mut().unwrap().token = token;
    }

    /// Everything that can be read without an id.
    async fn read_all(&mut self) {
        let mut ids = Vec::new();
        for (method, path, operation) in self.operations() {
            let parameters = operation["parameters"].as_array().into_iter().flatten();
            let mut required = parameters.filter(|it| it["required"] == true);
            let is_file = path == "/docs/{file}";
            if method == "get" && !is_file && required.all(|it| self.example(it).is_some()) {
                ids.push(operation["operationId"].as_str().unwrap().to_owned());
            }
        }
        assert!(ids.len() > 30, "{ids:?}");
        for id in ids {
            self.press(&id, &[], &[]).await;
        }
    }
}

#[tokio::test]
async fn each_example_of_the_document_is_taken() {
    let mut page = Page::open().await;
    page.sign_in().await;
    page.connect_files().await;
    page.read_a_source().await;
    page.extend_entities().await;
    page.read_all().await;
    page.manage_people().await;
    let with_body = page.operations().filter(|it| page.body(it.2).is_some());
    let ids = with_body.map(|it| it.2["operationId"].as_str().unwrap());
    let left: Vec<_> = ids.filter(|it| !page.pressed.contains(*it)).collect();
    assert!(left.is_empty(), "not pressed: {left:?}");
}
