//! The demonstration city, loaded through the same door as a city's own documents.

use kernel::{Error, Result, time};
use knowledge::imports::Staged;
use service::support::synthetic;

use crate::wiring::App;

#[derive(rust_embed::RustEmbed)]
#[folder = "../../demo/knowledge"]
struct DemoKnowledge;

#[derive(rust_embed::RustEmbed)]
#[folder = "../../demo/service"]
struct DemoItems;

#[derive(rust_embed::RustEmbed)]
#[folder = "../../demo/support"]
struct DemoPolicies;

/// The service items of the demonstration city, as files.
pub(crate) fn item_files() -> Vec<(String, String)> {
    texts::<DemoItems>()
}

/// The policies of the demonstration city that support businesses, as files.
pub(crate) fn policy_files() -> Vec<(String, String)> {
    texts::<DemoPolicies>()
}

fn texts<E: rust_embed::RustEmbed>() -> Vec<(String, String)> {
    E::iter()
        .filter_map(|path| {
            let file = E::get(&path)?;
            let text = String::from_utf8(file.data.into_owned()).ok()?;
            Some((path.into_owned(), text))
        })
        .collect()
}

/// The businesses of the demonstration city: how many, and the seed that they are made up from.
const BUSINESSES: usize = 300;
const SEED: u64 = 20_261_127;

/// The knowledge space of the demonstration city.
const SPACE: &str = "政务知识";

/// Imports the demonstration city into an empty library. Returns once it can be asked: its documents are few.
pub(crate) async fn load(app: &App) -> Result<()> {
    if app.library.count().await? > 0 {
        tracing::info!("数据目录里已有文件，不再载入演示城市");
        return Ok(());
    }
    let (id, folder) = app.imports.stage().await?;
    let mut files = Vec::new();
    for (place, path) in DemoKnowledge::iter().enumerate() {
        let Some(embedded) = DemoKnowledge::get(&path) else {
            continue;
        };
        let file = folder.join(place.to_string());
        tokio::fs::write(&file, &embedded.data)
            .await
            .map_err(Error::internal)?;
        files.push(Staged {
            path: path.into_owned(),
            file,
        });
    }
    let import = app.imports.start(id, SPACE, files).await?;
    if let Some(mut changes) = app.imports.follow(&import.id) {
        while !matches!(
            changes.recv().await,
            Err(tokio::sync::broadcast::error::RecvError::Closed)
        ) {}
    }
    app.items.import(&item_files()).await?;
    app.support.policies.import(&policy_files()).await?;
    let made = synthetic::businesses(SEED, BUSINESSES, time::today());
    app.support.businesses.take_in_made(made).await?;
    tracing::info!("{BUSINESSES} 家企业是按种子合成的样例，不对应任何真实企业");
    Ok(())
}
