//! Real weights, where they have been pulled: in the folder `CITYMIND_MODELS`, or in `~/.cache/citymind/models`.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use citymind_engine_models::{GgufChat, GgufSettings};
use kernel::{
    models::{ChatModel, ChatReply, ChatRequest, Message, Role},
    testkit::chat_conforms,
};
use serde_json::{Value, json};

/// The smallest GGUF file that has been pulled and has at least so many bytes.
fn pulled(least: u64) -> Option<PathBuf> {
    let folder = env::var_os("CITYMIND_MODELS").map(PathBuf::from);
    let folder =
        folder.or_else(|| Some(Path::new(&env::var_os("HOME")?).join(".cache/citymind/models")));
    let models = fs::read_dir(folder?).ok()?.flatten();
    let files = models
        .filter_map(|model| fs::read_dir(model.path()).ok())
        .flatten()
        .flatten();
    let files = files
        .map(|file| file.path())
        .filter(|path| path.extension().is_some_and(|end| end == "gguf"));
    let sized = files.filter_map(|path| Some((fs::metadata(&path).ok()?.len(), path)));
    let found = sized
        .filter(|(size, _)| *size >= least)
        .min()
        .map(|(_, path)| path);
    if found.is_none() {
        eprintln!("skipped: no GGUF model of {least} bytes or more has been pulled");
    }
    found
}

#[tokio::test]
async fn a_pulled_model_conforms() {
    let Some(path) = pulled(0) else { return };
    let settings = GgufSettings {
        context: 512,
        ..GgufSettings::default()
    };
    chat_conforms(&GgufChat::open("pulled", &path, &settings).unwrap()).await;
}

/// What the same weights reply in other programs, and a slot that only a model fills that chooses its own tokens.
#[tokio::test]
async fn a_pulled_model_of_some_size_reads_what_it_is_given() {
    let Some(path) = pulled(1_000_000_000) else {
        return;
    };
    let model = GgufChat::open("pulled", &path, &GgufSettings::default()).unwrap();
    let mut request = ChatRequest::new(vec![
        Message::new(
            Role::System,
            "把用户的话分到一个事项，并抽取信息。只输出 JSON：{\"item\":\"…\",\"city\":\"…或null\"}",
        ),
        Message::new(
            Role::User,
            "我在北京交的公积金，现在租房住，想每个月固定取一点",
        ),
    ]);
    request.schema = Some(json!({
        "properties": {
            "item": {"enum": ["生育津贴申领", "租房提取公积金", "购房提取公积金", "企业开办", "失业金申领", "其他"]},
            "city": {"type": ["string", "null"], "maxLength": 6},
        },
        "required": ["item", "city"],
        "additionalProperties": false,
    }));
    let reply = ChatReply::whole(model.chat(request).await.unwrap())
        .await
        .unwrap();
    let value: Value = serde_json::from_str(&reply.text).unwrap();
    assert_eq!(value, json!({"item": "租房提取公积金", "city": "北京"}));
}
