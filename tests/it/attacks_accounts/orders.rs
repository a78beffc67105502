//! Account operations in random orders: no token, key, invitation or reset outlives the right of who
//! has or made it.

use std::cell::Cell;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use schema::{Role, Scope};
use serde_json::{Value, json};
use tests::app::{Answer, PASSWORD, Person, TestApp};
use tests::fixtures::users::{
    API_KEYS, ME, USERS, accept_invitation, change_user, create_api_key, invite, key_holder,
    nobody, refresh, signed_in,
};
use tokio::runtime::Runtime;

const SESSIONS: &str = "/api/v1/auth/sessions";
const ROLES: [Role; 3] = [Role::Admin, Role::Member, Role::Viewer];
const SCOPES: [&[Scope]; 4] = [
    &[Scope::Read],
    &[Scope::Read, Scope::Ingest],
    &[Scope::Admin],
    &[Scope::Read, Scope::Admin],
];

/// What somebody does. The numbers pick one of those that there are.
#[derive(Debug, Clone, Copy)]
enum Operation {
    Invite(usize, usize),
    Accept(usize),
    SetRole(usize, usize, usize),
    Disable(usize, usize, bool),
    LogIn(usize),
    Refresh(usize),
    /// A session's refresh token is used twice.
    Steal(usize),
    EndSession(usize),
    EndAllSessions(usize),
    ChangePassword(usize),
    MakeReset(usize, usize),
    UseReset(usize),
    MakeKey(usize, usize),
    RevokeKey(usize, usize),
}

fn operation() -> impl Strategy<Value = Operation> {
    let pick = || 0..12_usize;
    prop_oneof![
        3 => (pick(), pick()).prop_map(|it| Operation::Invite(it.0, it.1)),
        3 => pick().prop_map(Operation::Accept),
        2 => (pick(), pick(), pick()).prop_map(|it| Operation::SetRole(it.0, it.1, it.2)),
        2 => (pick(), pick(), any::<bool>()).prop_map(|it| Operation::Disable(it.0, it.1, it.2)),
        1 => pick().prop_map(Operation::LogIn),
        1 => pick().prop_map(Operation::Refresh),
        1 => pick().prop_map(Operation::Steal),
        1 => pick().prop_map(Operation::EndSession),
        1 => pick().prop_map(Operation::EndAllSessions),
        1 => pick().prop_map(Operation::ChangePassword),
        2 => (pick(), pick()).prop_map(|it| Operation::MakeReset(it.0, it.1)),
        2 => pick().prop_map(Operation::UseReset),
        2 => (pick(), pick()).prop_map(|it| Operation::MakeKey(it.0, it.1)),
        1 => (pick(), pick()).prop_map(|it| Operation::RevokeKey(it.0, it.1)),
    ]
}

struct Member {
    person: Person,
    role: Role,
    disabled: bool,
    password: String,
}

impl Member {
    fn is_admin(&self) -> bool {
        self.role == Role::Admin && !self.disabled
    }
}

struct Session {
    owner: usize,
    person: Person,
    lives: bool,
}

/// An access token or an API key.
struct Bearer {
    owner: usize,
    person: Person,
    lives: bool,
}

struct Key {
    id: String,
    scopes: &'static [Scope],
    bearer: Bearer,
}

/// An invitation, or the reset of a member's password.
struct Offer {
    maker: usize,
    role: Role,
    member: usize,
    token: Value,
    open: bool,
}

/// What must be so, and the platform in which it must.
struct World<'a> {
    app: &'a TestApp,
    members: Vec<Member>,
    sessions: Vec<Session>,
    tokens: Vec<Bearer>,
    keys: Vec<Key>,
    invitations: Vec<Offer>,
    resets: Vec<Offer>,
    /// How many passwords and addresses there were.
    made: usize,
}

#[track_caller]
fn check(answer: &Answer, expected: u16) {
    assert_eq!(answer.status.as_u16(), expected, "{answer}");
}

fn text(answer: &Answer, name: &str) -> String {
    answer.json()[name].as_str().unwrap().to_owned()
}

impl<'a> World<'a> {
    async fn new(app: &'a TestApp, name: &str) -> World<'a> {
        let ada = app.register(name).await;
        let mut world = World {
            app,
            members: vec![],
            sessions: vec![],
            tokens: vec![],
            keys: vec![],
            invitations: vec![],
            resets: vec![],
            made: 0,
        };
        world.join(ada, Role::Admin);
        world
    }

    fn join(&mut self, person: Person, role: Role) {
        self.members.push(Member {
            person: person.clone(),
            role,
            disabled: false,
            password: PASSWORD.to_owned(),
        });
        self.start(self.members.len() - 1, person);
    }

    fn start(&mut self, owner: usize, person: Person) {
        self.sessions.push(Session {
            owner,
            person: person.clone(),
            lives: true,
        });
        self.add_token(owner, person);
    }

    fn add_token(&mut self, owner: usize, person: Person) {
        self.tokens.push(Bearer {
            owner,
            person,
            lives: true,
        });
    }

    fn end_tokens(&mut self, owner: usize) {
        let tokens = self.tokens.iter_mut().filter(|it| it.owner == owner);
        tokens.for_each(|it| it.lives = false);
    }

    fn end_sessions(&mut self, owner: usize) {
        let sessions = self.sessions.iter_mut().filter(|it| it.owner == owner);
        sessions.for_each(|it| it.lives = false);
        self.end_tokens(owner);
    }

    fn close_resets_of(&mut self, member: usize) {
        let resets = self.resets.iter_mut().filter(|it| it.member == member);
        resets.for_each(|it| it.open = false);
    }

    fn new_password(&mut self) -> String {
        self.made += 1;
        format!("seventeen salal berries {}", self.made)
    }

    async fn log_in(&mut self, who: usize) {
        let member = &self.members[who];
        let body = json!({ "email": member.person.email, "password": member.password });
        let answer = self.app.post("/api/v1/auth/login", None, body).await;
        check(&answer, if member.disabled { 401 } else { 200 });
        if !member.disabled {
            let person = signed_in(&member.person, &answer);
            self.start(who, person);
        }
    }

    /// The member with a token that lives, if they can have one.
    async fn caller(&mut self, who: usize) -> Person {
        if !self.tokens.iter().any(|it| it.owner == who && it.lives) {
            self.log_in(who).await;
        }
        let tokens = self.tokens.iter().filter(|it| it.owner == who);
        let token = tokens.max_by_key(|it| it.lives);
        token.expect("everybody was signed in once").person.clone()
    }

    /// What an admin's request comes to that has no other fault.
    fn for_admin(&self, who: usize, done: u16) -> u16 {
        match &self.members[who] {
            it if it.disabled => 401,
            it if it.role != Role::Admin => 403,
            _ => done,
        }
    }

    async fn invite(&mut self, maker: usize, role: Role) {
        self.made += 1;
        let email = format!(
            "guest{}@{}.example",
            self.made, self.members[0].person.tenant
        );
        let caller = self.caller(maker).await;
        let answer = invite(self.app, &caller, &email, role.as_str()).await;
        let expected = self.for_admin(maker, 201);
        check(&answer, expected);
        if expected == 201 {
            let token = answer.json()["token"].clone();
            self.invitations.push(Offer {
                maker,
                role,
                member: 0,
                token,
                open: true,
            });
        }
    }

    async fn accept(&mut self, index: usize) {
        let Offer {
            role, token, open, ..
        } = &mut self.invitations[index];
        let answer = accept_invitation(self.app, token).await;
        check(&answer, if *open { 201 } else { 400 });
        if std::mem::take(open) {
            let role = *role;
            self.join(Person::from_session(&answer.json()), role);
        }
    }

    async fn change(&mut self, by: usize, who: usize, (role, disabled): (Role, bool)) {
        let caller = self.caller(by).await;
        let body = json!({ "role": role, "disabled": disabled });
        let answer = change_user(self.app, &caller, &self.members[who].person, body).await;
        let is_left = |it: (usize, &Member)| it.0 != who && it.1.is_admin();
        let stays = role == Role::Admin && !disabled;
        let last = !stays && !self.members.iter().enumerate().any(is_left);
        let expected = self.for_admin(by, if last { 409 } else { 200 });
        check(&answer, expected);
        if expected != 200 {
            return;
        }
        let member = &mut self.members[who];
        let changed = (member.role, member.disabled) != (role, disabled);
        (member.role, member.disabled) = (role, disabled);
        if changed {
            self.end_tokens(who);
        }
        if disabled {
            self.end_sessions(who);
            self.close_resets_of(who);
        }
        let scopes = if disabled { &[] } else { role.scopes() };
        for key in self.keys.iter_mut().filter(|it| it.bearer.owner == who) {
            key.bearer.lives &= key.scopes.iter().all(|it| scopes.contains(it));
        }
        if !stays {
            let offers = self.invitations.iter_mut().chain(&mut self.resets);
            let own = offers.filter(|it| it.maker == who);
            own.for_each(|it| it.open = false);
        }
    }

    async fn refresh(&mut self, index: usize) -> Option<String> {
        let Session {
            owner,
            person,
            lives,
        } = &self.sessions[index];
        let (owner, before) = (*owner, person.refresh_token.clone());
        let answer = refresh(self.app, person).await;
        check(&answer, if *lives { 200 } else { 401 });
        if !lives {
            return None;
        }
        let person = signed_in(person, &answer);
        self.sessions[index].person = person.clone();
        self.add_token(owner, person);
        Some(before)
    }

    async fn steal(&mut self, index: usize) {
        let Some(stolen) = self.refresh(index).await else {
            return;
        };
        self.refresh(index).await;
        let body = json!({ "refresh_token": stolen });
        let answer = self.app.post("/api/v1/auth/refresh", None, body).await;
        check(&answer, 401);
        self.sessions[index].lives = false;
        self.end_tokens(self.sessions[index].owner);
    }

    async fn end_session(&mut self, index: usize) {
        let owner = self.sessions[index].owner;
        let caller = self.caller(owner).await;
        if self.members[owner].disabled || !self.sessions[index].lives {
            return;
        }
        let listed = self.app.get(SESSIONS, &caller).await.json();
        let own = self.sessions.iter().enumerate();
        let own = own.filter(|(_, it)| it.owner == owner && it.lives);
        let own: Vec<_> = own.map(|it| it.0).collect();
        let listed = listed["sessions"].as_array().unwrap();
        assert_eq!(listed.len(), own.len(), "{listed:?}");
        let place = own.iter().position(|it| *it == index).unwrap();
        let path = format!("{SESSIONS}/{}", listed[place]["id"].as_str().unwrap());
        check(&self.app.delete(&path, &caller).await, 204);
        self.sessions[index].lives = false;
        self.end_tokens(owner);
    }

    async fn end_all_sessions(&mut self, who: usize) {
        let caller = self.caller(who).await;
        let disabled = self.members[who].disabled;
        let answer = self.app.delete(SESSIONS, &caller).await;
        check(&answer, if disabled { 401 } else { 204 });
        self.end_sessions(who);
    }

    async fn change_password(&mut self, who: usize) {
        let (caller, new) = (self.caller(who).await, self.new_password());
        let member = &mut self.members[who];
        let body = json!({ "current_password": member.password, "new_password": new });
        let answer = self.app.post("/api/v1/auth/password", &caller, body).await;
        check(&answer, if member.disabled { 401 } else { 200 });
        if !member.disabled {
            member.password = new;
            let person = signed_in(&caller, &answer);
            self.end_sessions(who);
            self.close_resets_of(who);
            self.start(who, person);
        }
    }

    async fn make_reset(&mut self, maker: usize, member: usize) {
        let caller = self.caller(maker).await;
        let path = format!(
            "{USERS}/{}/password-reset",
            self.members[member].person.user
        );
        let answer = self.app.post(&path, &caller, json!({})).await;
        let refused = maker == member || self.members[member].disabled;
        let expected = self.for_admin(maker, if refused { 409 } else { 201 });
        check(&answer, expected);
        if expected == 201 {
            self.close_resets_of(member);
            let token = answer.json()["token"].clone();
            self.resets.push(Offer {
                maker,
                role: Role::Viewer,
                member,
                token,
                open: true,
            });
        }
    }

    async fn use_reset(&mut self, index: usize) {
        let password = self.new_password();
        let Offer {
            member,
            token,
            open,
            ..
        } = &self.resets[index];
        let (member, open) = (*member, *open);
        let body = json!({ "token": token, "password": password });
        let answer = self.app.post("/api/v1/auth/password/reset", None, body);
        check(&answer.await, if open { 204 } else { 400 });
        if open {
            self.members[member].password = password;
            self.end_sessions(member);
            self.close_resets_of(member);
        }
    }

    async fn make_key(&mut self, maker: usize, scopes: &'static [Scope]) {
        let caller = self.caller(maker).await;
        let words: Vec<_> = scopes.iter().map(|it| it.as_str()).collect();
        let answer = create_api_key(self.app, &caller, &words).await;
        let expected = self.for_admin(maker, 201);
        check(&answer, expected);
        if expected == 201 {
            self.keys.push(Key {
                id: text(&answer, "id"),
                scopes,
                bearer: Bearer {
                    owner: maker,
                    person: Person {
                        token: key_holder(&answer).token,
                        ..nobody()
                    },
                    lives: true,
                },
            });
        }
    }

    async fn revoke_key(&mut self, by: usize, index: usize) {
        let caller = self.caller(by).await;
        let path = format!("{API_KEYS}/{}", self.keys[index].id);
        let lives = self.keys[index].bearer.lives;
        let expected = self.for_admin(by, if lives { 204 } else { 404 });
        check(&self.app.delete(&path, &caller).await, expected);
        if expected == 204 {
            self.keys[index].bearer.lives = false;
        }
    }

    async fn apply(&mut self, operation: Operation) {
        let people = self.members.len();
        let person = |it: usize| it % people;
        let pick = |it: usize, of: usize| (0 < of).then(|| it % of);
        match operation {
            Operation::Invite(by, role) => self.invite(person(by), ROLES[role % 3]).await,
            Operation::SetRole(by, who, role) => {
                let who = person(who);
                let to = (ROLES[role % 3], self.members[who].disabled);
                self.change(person(by), who, to).await;
            }
            Operation::Disable(by, who, disabled) => {
                let who = person(who);
                let to = (self.members[who].role, disabled);
                self.change(person(by), who, to).await;
            }
            Operation::LogIn(who) => self.log_in(person(who)).await,
            Operation::EndAllSessions(who) => self.end_all_sessions(person(who)).await,
            Operation::ChangePassword(who) => self.change_password(person(who)).await,
            Operation::MakeReset(by, who) => self.make_reset(person(by), person(who)).await,
            Operation::MakeKey(by, of) => self.make_key(person(by), SCOPES[of % 4]).await,
            Operation::Refresh(it) => {
                self.refresh(it % self.sessions.len()).await;
            }
            Operation::Steal(it) => self.steal(it % self.sessions.len()).await,
            Operation::EndSession(it) => self.end_session(it % self.sessions.len()).await,
            Operation::Accept(it) => {
                if let Some(it) = pick(it, self.invitations.len()) {
                    self.accept(it).await;
                }
            }
            Operation::UseReset(it) => {
                if let Some(it) = pick(it, self.resets.len()) {
                    self.use_reset(it).await;
                }
            }
            Operation::RevokeKey(by, it) => {
                if let Some(it) = pick(it, self.keys.len()) {
                    self.revoke_key(person(by), it).await;
                }
            }
        }
    }

    /// A token or key is believed exactly as long as it should be.
    async fn check(&self, after: Operation) {
        let keys = self.keys.iter().map(|it| &it.bearer);
        for bearer in self.tokens.iter().chain(keys) {
            let answer = self.app.get(ME, &bearer.person).await;
            let believed = answer.status.as_u16() != 401;
            assert_eq!(believed, bearer.lives, "after {after:?}: {answer}");
        }
    }
}

/// `ACCOUNT_SEQUENCES` is how many.
#[test]
fn nothing_outlives_the_right_of_its_maker_in_whatever_order() {
    let cases = std::env::var("ACCOUNT_SEQUENCES");
    let cases = cases.map_or(10, |it| it.parse().unwrap());
    let runtime = Runtime::new().unwrap();
    let app = runtime.block_on(TestApp::start());
    let mut runner = TestRunner::new(Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: 200,
        ..Config::default()
    });
    let operations = proptest::collection::vec(operation(), 1..24);
    let number = Cell::new(0);
    let result = runner.run(&operations, |operations| {
        number.set(number.get() + 1);
        let case = async {
            let mut world = World::new(&app, &format!("Acme {}", number.get())).await;
            for operation in operations {
                world.apply(operation).await;
                world.check(operation).await;
            }
        };
        runtime.block_on(case);
        Ok::<(), TestCaseError>(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
}
