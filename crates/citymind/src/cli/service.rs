//! `citymind service`: service items and business-support policies as files.

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Args, Subcommand};
use kernel::{Error, ErrorCode, Result};
use service::{
    items::{catalogue::read_files, reading::Finding, schema::Basis},
    support::reading::{is_policy, read_policies},
};

use super::{note, say};

#[derive(Subcommand)]
pub(super) enum ServiceCommand {
    /// 检查办事事项和惠企政策文件：逐个指出哪一行哪一列有什么问题
    Validate(ValidateArgs),
}

#[derive(Args)]
pub(super) struct ValidateArgs {
    /// 事项、政策文件或文件夹
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// 知识文件夹：另外检查每条依据的原文是不是逐字在其中
    #[arg(long)]
    documents: Option<PathBuf>,
}

pub(super) fn run(command: ServiceCommand) -> Result<ExitCode> {
    let ServiceCommand::Validate(args) = command;
    let mut files = Vec::new();
    for path in &args.paths {
        gather(path, &["yaml", "yml"], &mut |path| {
            let text = fs::read_to_string(path).map_err(|e| unreadable(path, &e))?;
            files.push((path.display().to_string(), text));
            Ok(())
        })?;
    }
    if files.is_empty() {
        return Err(Error::new(ErrorCode::InvalidInput, "没有找到 .yaml 文件。"));
    }
    files.sort();
    let documents = args.documents.as_deref().map(texts).transpose()?;
    let (policies, items): (Vec<_>, Vec<_>) =
        files.into_iter().partition(|f| is_policy(&f.0, &f.1));
    // A finding, or the bases of a file that makes sense.
    type Bases = std::result::Result<Vec<Basis>, Vec<Finding>>;
    let mut read: Vec<(&str, String, Bases)> = Vec::new();
    for (path, item) in read_files(&items) {
        read.push(("事项", path, item.map(|(item, _)| item.basis)));
    }
    for (path, policy) in read_policies(&policies) {
        read.push(("政策", path, policy.map(|policy| policy.basis)));
    }
    let (mut sound, mut sound_policies, mut faults) = (0, 0, 0);
    for (kind, path, bases) in read {
        let bases = match bases {
            Ok(bases) => bases,
            Err(findings) => {
                faults += findings.len();
                for finding in findings {
                    say(&format!("{path}:{finding}"));
                }
                continue;
            }
        };
        let missing = documents
            .as_ref()
            .map(|d| unfounded(&bases, d))
            .unwrap_or_default();
        faults += missing.len();
        if missing.is_empty() {
            sound += usize::from(kind == "事项");
            sound_policies += usize::from(kind == "政策");
        }
        let source = items
            .iter()
            .chain(&policies)
            .find(|f| f.0 == path)
            .map_or("", |f| f.1.as_str());
        for (quote, message) in missing {
            let line = source
                .lines()
                .position(|l| l.contains(&quote))
                .map_or(1, |n| n + 1);
            say(&format!("{path}:{line}:1: {message}"));
        }
    }
    let told = if policies.is_empty() {
        String::new()
    } else {
        format!("{sound_policies} 项政策没有问题，")
    };
    note(&format!(
        "{sound} 个事项没有问题，{told}{faults} 处有问题。"
    ));
    Ok(ExitCode::from(u8::from(faults > 0)))
}

/// The bases whose quotes stand in no document of their title.
fn unfounded(bases: &[Basis], documents: &[(String, String)]) -> Vec<(String, String)> {
    let missing = bases.iter().filter(|basis| {
        !documents
            .iter()
            .any(|(title, text)| title.contains(&basis.document) && text.contains(&basis.quote))
    });
    missing
        .map(|basis| {
            let named = documents.iter().any(|d| d.0.contains(&basis.document));
            let message = if named {
                format!(
                    "依据“{}”：《{}》里没有这段原文“{}”",
                    basis.id, basis.document, basis.quote
                )
            } else {
                format!("依据“{}”：没有标题是《{}》的文件", basis.id, basis.document)
            };
            (basis.quote.clone(), message)
        })
        .collect()
}

/// The titles and texts of documents, read as an import reads them.
fn texts(folder: &Path) -> Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    let limits = knowledge::Limits::default();
    gather(
        folder,
        &["md", "docx", "html", "htm", "txt", "pdf", "xlsx", "csv"],
        &mut |path| {
            let bytes = fs::read(path).map_err(|e| unreadable(path, &e))?;
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            match documents::read(&name, &bytes, &limits) {
                Ok(document) => {
                    found.push((document.metadata.title.clone(), document.text.clone()))
                }
                Err(error) => note(&format!("{}：{error}", path.display())),
            }
            Ok(())
        },
    )?;
    Ok(found)
}

fn gather(path: &Path, kinds: &[&str], each: &mut dyn FnMut(&Path) -> Result<()>) -> Result<()> {
    if path.is_dir() {
        let mut entries: Vec<PathBuf> = fs::read_dir(path)
            .map_err(|e| unreadable(path, &e))?
            .filter_map(|e| e.ok().map(|e| e.path()))
            .collect();
        entries.sort();
        for entry in entries {
            gather(&entry, kinds, each)?;
        }
        return Ok(());
    }
    if !path.exists() {
        return Err(unreadable(path, &"没有这个文件"));
    }
    let kind = path
        .extension()
        .unwrap_or_default()
        .to_string_lossy()
        .to_lowercase();
    if kinds.contains(&kind.as_str()) {
        each(path)?;
    }
    Ok(())
}

fn unreadable(path: &Path, error: &dyn std::fmt::Display) -> Error {
    Error::new(
        ErrorCode::InvalidInput,
        format!("读不了 {}：{error}", path.display()),
    )
}
