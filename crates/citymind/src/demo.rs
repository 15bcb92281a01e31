//! The demonstration city, loaded through the same door as a city's own documents.

use kernel::{Error, Result};
use knowledge::imports::Staged;

use crate::wiring::App;

#[derive(rust_embed::RustEmbed)]
#[folder = "../../demo/knowledge"]
struct DemoKnowledge;

#[derive(rust_embed::RustEmbed)]
#[folder = "../../demo/service"]
struct DemoItems;

/// The service items of the demonstration city, as files.
pub(crate) fn item_files() -> Vec<(String, String)> {
    DemoItems::iter()
        .filter_map(|path| {
            let file = DemoItems::get(&path)?;
            let text = String::from_utf8(file.data.into_owned()).ok()?;
            Some((path.into_owned(), text))
        })
        .collect()
}

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
    Ok(())
}
