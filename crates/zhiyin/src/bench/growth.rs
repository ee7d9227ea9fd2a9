//! Growth.
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Result, bail};
use zhiyin_engine::accept::Source;
use zhiyin_engine::{Engine, clock, playbooks};
use zhiyin_model::id::IdKey;
use zhiyin_model::time::Ts;
use zhiyin_store_sqlite::{Durability, SqliteStore};

use super::brand::{self, Shape};
use crate::arguments::Place;

/// x
pub async fn growth(place: &Place) -> Result<ExitCode> {
    let v: Vec<u32> = std::env::var("SHAPE")?.split(',').map(|x| x.parse().unwrap()).collect();
    let shape = Shape { members: v[0], orders: v[1], days: v[2] };
    let w = clock::stopwatch();
    fill(shape, &place.path()?).await?;
    println!("filled {shape:?} {:?}", w.elapsed());
    Ok(ExitCode::SUCCESS)
}

async fn fill(shape: Shape, path: &Path) -> Result<()> {
    let store = SqliteStore::open_with(path, &IdKey::from_bytes([7; 32]), Durability::Relaxed)?;
    let engine = Engine::open(Arc::new(store)).await?;
    let Some(Ok((playbook, _))) = playbooks::read_shipped("variety-store") else { bail!("x") };
    engine.apply_at(&playbook, Some(shape.begins())).await?;
    let source = Source { name: "history".to_owned(), user_namespace: "user".to_owned(), replay: true };
    let mut n = 0;
    let (mut ta, mut td) = (std::time::Duration::ZERO, std::time::Duration::ZERO);
    while n < shape.orders_all() {
        let until = (n + brand::CHUNK as u64).min(shape.orders_all());
        let w = clock::stopwatch();
        let items: Vec<_> = (n..until).map(|n| shape.order(n)).collect();
        engine.accept(&source, &items, None).await?;
        ta += w.elapsed();
        let w = clock::stopwatch();
        let s = engine.drain(brand::CHUNK, Some(Ts::MIN), |_| ()).await?;
        if s.dead > 0 { bail!("dead") }
        td += w.elapsed();
        n = until;
    }
    println!("accept {ta:?} drain {td:?}");
    let w = clock::stopwatch();
    let s = engine.drain(brand::CHUNK, Some(brand::ROUNDS_BEGIN), |_| ()).await?;
    println!("timers {} {:?}", s.timers, w.elapsed());
    let w = clock::stopwatch();
    for c in engine.store().doctor().await? { if !c.broken.is_empty() { println!("{c:?}"); } }
    println!("doctor {:?}", w.elapsed());
    Ok(())
}
