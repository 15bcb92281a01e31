//! `citymind knowledge`: imports and upkeep, through the server where it holds the folder.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use kernel::{Error, ErrorCode, Result, page::PageRequest};
use knowledge::imports::{Import, ImportState, Imports, RowState, Staged};
use reqwest::multipart::{Form, Part};

use super::{
    DataArgs,
    client::{Server, Worker, context, worker},
    note, say,
};
use crate::http::doors;

#[derive(Subcommand)]
pub(super) enum KnowledgeCommand {
    /// 导入文件、文件夹或 .zip
    Import(ImportArgs),
    /// 从存储重建检索索引
    Reindex(DataArgs),
}

#[derive(Args)]
pub(super) struct ImportArgs {
    /// 文件、文件夹或 .zip
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    data: DataArgs,
    /// 知识空间
    #[arg(long, default_value = "默认")]
    space: String,
    /// 以 JSON 输出结果
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(command: KnowledgeCommand) -> Result<ExitCode> {
    match command {
        KnowledgeCommand::Import(args) => import(args).await,
        KnowledgeCommand::Reindex(args) => {
            let worker = worker(&args).await?;
            let rebuilt = worker
                .call("knowledge.reindex", serde_json::json!({}))
                .await?;
            say(&format!(
                "已重建索引：{} 份文件，{} 个条款，用时 {} 毫秒。",
                rebuilt["documents"], rebuilt["passages"], rebuilt["elapsed_ms"]
            ));
            Ok(ExitCode::SUCCESS)
        }
    }
}

async fn import(args: ImportArgs) -> Result<ExitCode> {
    let mut files = Vec::new();
    for path in &args.paths {
        collect(path, &mut files)?;
    }
    let import = match worker(&args.data).await? {
        Worker::Here(app) => {
            let context = context();
            context.note("space", args.space.as_str());
            context.note("files", files.len());
            let started = app
                .catalogue
                .enter(&doors::UPLOAD, &context, String::new(), async {
                    let (id, _) = app.imports.stage().await?;
                    context.note("import", id.as_str());
                    app.imports.start(id, &args.space, files).await
                })
                .await?;
            let import = watch(&app.imports, started).await?;
            app.close().await?;
            import
        }
        Worker::Server(server) => upload(&server, &args.space, files).await?,
    };
    if args.json {
        say(&serde_json::to_string_pretty(&import).map_err(Error::internal)?);
    } else {
        for row in &import.rows {
            note(&format!(
                "未导入  {}：{}",
                row.path,
                row.error.as_deref().unwrap_or_default()
            ));
        }
        say(&format!(
            "共 {} 个文件：导入 {}，未变 {}，失败 {}{}。",
            import.total,
            import.imported,
            import.unchanged,
            import.failed,
            pictures(&import)
        ));
    }
    Ok(if import.imported + import.unchanged == 0 {
        ExitCode::from(1)
    } else {
        ExitCode::SUCCESS
    })
}

/// What became of pictures, if there are any.
fn pictures(import: &Import) -> String {
    let mut said = String::new();
    if import.pictures > 0 {
        said += &format!("，图片 {}", import.pictures);
    }
    if import.unused > 0 {
        said += &format!("，没有文件引用的图片 {}", import.unused);
    }
    said
}

/// The files below a path, in order. A folder's own name begins the path, as in a browser.
fn collect(path: &Path, files: &mut Vec<Staged>) -> Result<()> {
    let full = std::path::absolute(path).map_err(Error::internal)?;
    let found = std::fs::metadata(&full).map_err(|e| {
        Error::new(
            ErrorCode::InvalidInput,
            format!("没有找到 {}。", path.display()),
        )
        .with_detail(e)
    })?;
    let base = full.parent().unwrap_or(&full).to_owned();
    if found.is_file() {
        files.push(staged(&full, &base));
        return Ok(());
    }
    let mut folders = vec![full];
    while let Some(folder) = folders.pop() {
        let listed = std::fs::read_dir(&folder).map_err(|e| {
            Error::new(
                ErrorCode::InvalidInput,
                format!("读不了文件夹 {}。", folder.display()),
            )
            .with_detail(e)
        })?;
        let mut entries: Vec<PathBuf> = listed.filter_map(|e| e.ok().map(|e| e.path())).collect();
        entries.sort();
        for entry in entries {
            let hidden = entry
                .file_name()
                .is_some_and(|n| n.to_string_lossy().starts_with('.'));
            // Links are not followed: they may lead outside, or round in a circle.
            if hidden || entry.is_symlink() {
                continue;
            }
            if entry.is_dir() {
                folders.push(entry);
            } else {
                files.push(staged(&entry, &base));
            }
        }
    }
    Ok(())
}

fn staged(file: &Path, base: &Path) -> Staged {
    let relative = file.strip_prefix(base).unwrap_or(file);
    let parts: Vec<String> = relative
        .components()
        .map(|c| c.as_os_str().to_string_lossy().into_owned())
        .collect();
    Staged {
        path: parts.join("/"),
        file: file.to_owned(),
    }
}

fn bar(import: &Import) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:32} {pos}/{len} 个文件  {msg}  {elapsed}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(import.total).with_style(style)
}

fn show(bar: &ProgressBar, import: &Import) {
    bar.set_length(import.total);
    bar.set_position(import.total - import.waiting);
    bar.set_message(format!("失败 {}", import.failed));
}

/// Waits for an import, showing how far it is; returns it with the rows that failed.
async fn watch(imports: &std::sync::Arc<Imports>, started: Import) -> Result<Import> {
    let bar = bar(&started);
    if let Some(mut changes) = imports.follow(&started.id) {
        loop {
            match changes.recv().await {
                Ok(import) => show(&bar, &import),
                Err(tokio::sync::broadcast::error::RecvError::Lagged(_)) => {}
                Err(tokio::sync::broadcast::error::RecvError::Closed) => break,
            }
        }
    }
    bar.finish_and_clear();
    let import = imports
        .get(&started.id, Some(RowState::Failed), all())
        .await?;
    Ok(import)
}

fn all() -> PageRequest {
    PageRequest {
        page: None,
        page_size: Some(200),
    }
}

async fn upload(server: &Server, space: &str, files: Vec<Staged>) -> Result<Import> {
    let mut form = Form::new().text("space", space.to_owned());
    for staged in files {
        let part = Part::file(&staged.file).await.map_err(|e| {
            Error::new(
                ErrorCode::InvalidInput,
                format!("读不了 {}。", staged.file.display()),
            )
            .with_detail(e)
        })?;
        form = form.part("file", part.file_name(staged.path));
    }
    let started = server
        .send(server.post("/knowledge/imports").multipart(form))
        .await?;
    let mut import: Import = serde_json::from_value(started).map_err(Error::internal)?;
    let bar = bar(&import);
    let mut tick = tokio::time::interval(std::time::Duration::from_millis(300));
    while import.state == ImportState::Running {
        tick.tick().await;
        let path = format!(
            "/knowledge/imports/{}?state=failed&page_size=200",
            import.id
        );
        import = serde_json::from_value(server.send(server.get(&path)).await?)
            .map_err(Error::internal)?;
        show(&bar, &import);
    }
    bar.finish_and_clear();
    import.rows.retain(|r| r.state == RowState::Failed);
    Ok(import)
}
