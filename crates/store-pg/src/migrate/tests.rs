//! Migrations of tables in use, on the server that `ZHIYIN_TEST_POSTGRES` names.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop where it is")]

use super::*;
use crate::online::WHOLE;

const KEY: IdKey = IdKey::from_bytes([7; 32]);

/// What grows on a table in use: a column that is filled, and an index.
const NEXT: Migration = Migration {
    number: 2,
    oldest: 1,
    home: "",
    shard: "ALTER TABLE {shard}.message ADD COLUMN twice bigint",
    online: &[
        Online::Fill {
            sql: "WITH few AS (SELECT source, message_id FROM {shard}.message WHERE twice IS NULL LIMIT 7) \
            UPDATE {shard}.message m SET twice = m.seq * 2 FROM few s \
            WHERE m.source = s.source AND m.message_id = s.message_id",
        },
        Online::Index { name: "message_seq", on: "message (seq)" },
    ],
};

fn migrations() -> Vec<Migration> {
    let [first, ..] = MIGRATIONS;
    vec![first, NEXT]
}

/// A home of before with twenty rows; done away with at the end.
struct Home {
    address: Address,
    schemas: Schemas,
    name: String,
}

impl Home {
    async fn new(test: &str) -> Self {
        let server =
            std::env::var("ZHIYIN_TEST_POSTGRES").expect("`./run test` starts a PostgreSQL and names it");
        let and = if server.contains('?') { '&' } else { '?' };
        let name = format!("grow_{}_{test}", std::process::id());
        let address = Address::parse(&format!("{server}{and}home={name}&shards=1&slots=4")).unwrap();
        let [first, ..] = MIGRATIONS;
        let schemas = open_with(&address, &KEY, &[first]).await.unwrap().schemas;
        let home = Self { address, schemas, name };
        home.does(&format!(
            "INSERT INTO {}.message SELECT 1, n::text, md5(n::text)::uuid, n FROM generate_series(1, 20) n",
            home.name
        ))
        .await;
        home
    }

    async fn does(&self, sql: &str) -> Client {
        let client = connect(&self.address).await.unwrap();
        client.batch_execute(sql).await.unwrap();
        client
    }

    async fn asks<T: for<'a> tokio_postgres::types::FromSql<'a>>(&self, sql: &str) -> T {
        connect(&self.address).await.unwrap().query_one(sql, &[]).await.unwrap().get(0)
    }

    async fn gone(self) {
        drop_home(&self.address, &self.schemas).await.unwrap();
    }
}

/// Asks until it is so.
async fn until(home: &Home, sql: &str) {
    while !home.asks::<bool>(sql).await {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_table_grows_while_everybody_works_on() {
    let home = Home::new("online").await;
    // Somebody looks at the home of before for long. An index waits for them; writers do not wait for the index.
    let name = home.name.clone();
    let looks =
        home.does(&format!("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT COUNT(*) FROM {name}.home")).await;
    let opens = tokio::spawn({
        let address = home.address.clone();
        async move { open_with(&address, &KEY, &migrations()).await.map(drop) }
    });
    until(&home, &format!("SELECT to_regclass('{name}.message_seq') IS NOT NULL")).await;
    home.does(&format!("INSERT INTO {name}.message VALUES (2, 'x', md5('x')::uuid, 21)")).await;
    home.does(&format!("UPDATE {name}.message SET seq = 22 WHERE source = 1 AND message_id = '5'")).await;
    // A second program that opens it meanwhile goes on without the index.
    open_with(&home.address, &KEY, &migrations()).await.unwrap();
    assert!(!home.asks::<bool>(&home.schemas.sql(&WHOLE.replace("$1::text", "'message_seq'"), 0)).await);
    looks.batch_execute("COMMIT").await.unwrap();
    opens.await.unwrap().unwrap();
    assert!(home.asks::<bool>(&home.schemas.sql(&WHOLE.replace("$1::text", "'message_seq'"), 0)).await);
    assert_eq!(home.asks::<i64>(&format!("SELECT COUNT(twice) FROM {name}.message")).await, 20);
    // A program of before works on: the migration says that it may.
    let [first, ..] = MIGRATIONS;
    open_with(&home.address, &KEY, &[first]).await.unwrap();
    home.gone().await;
}

#[tokio::test]
async fn an_index_that_was_broken_off_is_made_anew() {
    let home = Home::new("broken").await;
    let name = home.name.clone();
    home.does(&format!("INSERT INTO {name}.message VALUES (3, 'y', md5('y')::uuid, 1)")).await;
    // A unique one fails in the middle and is left behind, not whole.
    let client = connect(&home.address).await.unwrap();
    let broken = format!("CREATE UNIQUE INDEX CONCURRENTLY message_seq ON {name}.message (seq)");
    client.batch_execute(&broken).await.unwrap_err();
    assert!(!home.asks::<bool>(&home.schemas.sql(&WHOLE.replace("$1::text", "'message_seq'"), 0)).await);
    open_with(&home.address, &KEY, &migrations()).await.unwrap();
    assert!(home.asks::<bool>(&home.schemas.sql(&WHOLE.replace("$1::text", "'message_seq'"), 0)).await);
    home.gone().await;
}

#[tokio::test]
async fn a_table_in_use_is_not_waited_for_by_those_who_come_after() {
    let home = Home::new("haste").await;
    let name = home.name.clone();
    let uses = home.does(&format!("BEGIN; SELECT COUNT(*) FROM {name}.message")).await;
    let opens = tokio::spawn({
        let address = home.address.clone();
        async move { open_with(&address, &KEY, &migrations()).await.map(drop) }
    });
    let waits = format!(
        "SELECT EXISTS (SELECT FROM pg_locks WHERE relation = '{name}.message'::regclass AND NOT granted)"
    );
    until(&home, &waits).await;
    // Whoever comes behind the migration waits for it, and it soon gives up.
    home.does(&format!("INSERT INTO {name}.message VALUES (2, 'x', md5('x')::uuid, 21)")).await;
    assert_eq!(home.asks::<i64>(&format!("SELECT COUNT(*) FROM {name}.migration WHERE number = 2")).await, 0);
    uses.batch_execute("COMMIT").await.unwrap();
    opens.await.unwrap().unwrap();
    assert_eq!(home.asks::<i64>(&format!("SELECT COUNT(*) FROM {name}.migration WHERE number = 2")).await, 1);
    home.gone().await;
}
