//! Deletes of records that no mapping gave an id when they came.

use serde_json::{Value, json};
use tests::fixtures::own_data::{World, pairs};

struct Shop(World);

impl Shop {
    async fn new() -> Shop {
        Shop(World::new().await)
    }

    async fn send(&self, op: &str, data: Value) {
        let event = json!({ "source": { "system": "shop", "connection_id": self.0.connection },
            "entity": "ord", "op": op, "data": data });
        self.0.post("/api/v1/events", event).await;
    }

    async fn upsert(&self, id: u8, name: &str) {
        self.send("upsert", json!({ "id": id, "title": name }))
            .await;
    }

    async fn delete(&self, id: u8) {
        self.send("delete", json!({ "id": id })).await;
    }

    async fn map(&self) {
        let mapping = json!({ "entity": "account", "fields": [
            { "target": "account_id", "sources": ["id"] },
            { "target": "name", "sources": ["title"] },
        ] });
        self.0.map("shop.ord", mapping).await;
    }

    async fn retry(&self) {
        let path = format!(
            "/api/v1/aam/connections/{}/quarantine/retry",
            self.0.connection
        );
        self.0.post(&path, json!({ "object": "shop.ord" })).await;
    }

    async fn check(&self, accounts: &[(&str, &str)]) {
        assert_eq!(self.0.accounts().await, pairs(accounts));
        let object = self.0.object("shop.ord").await;
        let counts = (&object["records"], &object["quarantined"]);
        assert_eq!(counts, (&json!(accounts.len()), &json!(0)), "{object}");
    }
}

#[tokio::test]
async fn a_delete_takes_effect_once_somebody_says_what_is_deleted() {
    let shop = Shop::new().await;
    shop.upsert(1, "One").await;
    shop.upsert(2, "Two").await;
    shop.delete(2).await;
    assert_eq!(shop.0.object("shop.ord").await["quarantined"], 1);
    shop.retry().await;
    assert_eq!(shop.0.object("shop.ord").await["quarantined"], 1);
    shop.map().await;
    shop.check(&[("1", "One")]).await;
    shop.upsert(2, "Again").await;
    shop.check(&[("1", "One"), ("2", "Again")]).await;
}

#[tokio::test]
async fn an_old_delete_deletes_nothing_that_came_since() {
    let shop = Shop::new().await;
    // The same to the letter, another content, and one that was not there before.
    shop.upsert(1, "One").await;
    shop.upsert(2, "Two").await;
    for id in 1..=3 {
        shop.delete(id).await;
    }
    shop.upsert(1, "One").await;
    shop.upsert(2, "Zwei").await;
    shop.upsert(3, "Three").await;
    shop.map().await;
    shop.check(&[("1", "One"), ("2", "Zwei"), ("3", "Three")])
        .await;
    shop.retry().await;
    shop.check(&[("1", "One"), ("2", "Zwei"), ("3", "Three")])
        .await;
}

#[tokio::test]
async fn the_last_of_deletes_and_upserts_counts() {
    let shop = Shop::new().await;
    shop.delete(1).await;
    shop.upsert(1, "One").await;
    shop.delete(1).await;
    shop.delete(2).await;
    shop.upsert(2, "Two").await;
    shop.map().await;
    shop.check(&[("2", "Two")]).await;
}
