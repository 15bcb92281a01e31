//! What the product can do, defined once and called through every door.
//!
//! A capability has a typed input, a typed output, a permission and a description. From that one definition come the
//! HTTP route with its OpenAPI entry, the MCP tool, the command and the function that chat and declared apps call.
//! Products implement [`Capability`]; the doors see [`Registered`].

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use parking_lot::Mutex;
use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

pub use crate::identity::Caller;
use crate::{Error, ErrorCode, Result, id, identity::Role};

/// Names one thing.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ById {
    /// Its id.
    pub id: String,
}

/// Who may call, unless an administrator says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission {
    /// Anyone, citizens without a login included.
    Public,
    /// Whoever is signed in, for what is theirs.
    SignedIn,
    /// A citizen or business behind whom a real one stands, and staff.
    Verified,
    /// Whoever has one of these roles. The administrator has them all.
    Roles(&'static [Role]),
}

impl Permission {
    /// Only the administrator.
    pub const ADMINISTRATOR: Self = Self::Roles(&[Role::Administrator]);
    /// Everybody who works for the city.
    pub const STAFF: Self = Self::Roles(&Role::STAFF);
}

/// The HTTP method of a capability's route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// Reads; the input comes from the path and the query string.
    Get,
    /// Does; the input comes from the path and a JSON body.
    Post,
    /// Removes; the input comes from the path.
    Delete,
}

/// How a capability is described to people, programs and models.
#[derive(Clone, Debug)]
pub struct Definition {
    /// `area.verb`, e.g. `knowledge.search`: the tool name and the CLI command.
    pub name: &'static str,
    /// A short Chinese title.
    pub title: &'static str,
    /// What it does and when to use it, in Chinese.
    pub description: &'static str,
    /// Who may call it.
    pub permission: Permission,
    /// Changes something that outlasts the call. Its audit entry is then committed with the change, before the reply.
    pub effects: bool,
    /// The method of its route.
    pub method: Method,
    /// Its route below `/api/v1`, with `{name}` for input fields, e.g. `/traces/{id}`.
    pub path: &'static str,
    /// Its progress can be followed as server-sent events.
    pub streams: bool,
    /// Its input holds pictures, and so may be large.
    pub pictures: bool,
}

impl Definition {
    /// Reads, for anyone.
    pub const fn get(
        name: &'static str,
        title: &'static str,
        description: &'static str,
        path: &'static str,
    ) -> Self {
        Self {
            name,
            title,
            description,
            permission: Permission::Public,
            effects: false,
            method: Method::Get,
            path,
            streams: false,
            pictures: false,
        }
    }

    /// Changes something, for administrators.
    pub const fn post(
        name: &'static str,
        title: &'static str,
        description: &'static str,
        path: &'static str,
    ) -> Self {
        Self {
            permission: Permission::ADMINISTRATOR,
            effects: true,
            method: Method::Post,
            ..Self::get(name, title, description, path)
        }
    }

    /// Removes something, for administrators.
    pub const fn delete(
        name: &'static str,
        title: &'static str,
        description: &'static str,
        path: &'static str,
    ) -> Self {
        Self {
            method: Method::Delete,
            ..Self::post(name, title, description, path)
        }
    }

    /// The same for others.
    #[must_use]
    pub const fn open_to(mut self, permission: Permission) -> Self {
        self.permission = permission;
        self
    }

    /// A question that is sent by POST because it doesn't fit into an address.
    #[must_use]
    pub const fn without_effects(mut self) -> Self {
        self.effects = false;
        self
    }

    /// The same with pictures in its input.
    #[must_use]
    pub const fn with_pictures(mut self) -> Self {
        self.pictures = true;
        self
    }

    /// The same with progress that can be followed.
    #[must_use]
    pub const fn streaming(mut self) -> Self {
        self.streams = true;
        self
    }
}

/// Something that happened on the way to the output.
#[derive(Clone, Debug)]
pub struct Event {
    /// What kind, e.g. `segment`.
    pub name: &'static str,
    /// Its content.
    pub data: Value,
}

type Sink = Arc<dyn Fn(Event) -> bool + Send + Sync>;

/// How far a call is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Progress {
    /// How much is done.
    pub done: u64,
    /// Out of how much; 0 if that is not known.
    pub total: u64,
    /// What is being done, in Chinese.
    pub message: String,
}

/// The circumstances of a call.
#[derive(Clone, Default)]
pub struct Context {
    /// Who calls.
    pub caller: Caller,
    /// The request, as the reply and the audit log name it.
    pub request: String,
    sink: Option<Sink>,
    cancelled: Arc<AtomicBool>,
    notes: Arc<Mutex<Map<String, Value>>>,
}

impl Context {
    /// A call whose progress nobody follows.
    pub fn of(caller: Caller) -> Self {
        Self {
            caller,
            request: id::fresh(),
            ..Self::default()
        }
    }

    /// A call whose progress goes to `sink`, which returns false once nobody listens any more.
    #[must_use]
    pub fn following(mut self, sink: impl Fn(Event) -> bool + Send + Sync + 'static) -> Self {
        self.sink = Some(Arc::new(sink));
        self
    }

    /// Asks the call to stop.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Release);
    }

    /// Goes on, unless the call was cancelled.
    ///
    /// # Errors
    /// `Cancelled`.
    pub fn check(&self) -> Result<()> {
        if self.cancelled.load(Ordering::Acquire) {
            Err(Error::new(ErrorCode::Cancelled, "操作已取消。"))
        } else {
            Ok(())
        }
    }

    /// Tells whoever follows.
    ///
    /// # Errors
    /// `Cancelled` once the caller has gone away or asked to stop: the call should stop.
    pub fn emit(&self, name: &'static str, data: &impl Serialize) -> Result<()> {
        self.check()?;
        let Some(sink) = &self.sink else {
            return Ok(());
        };
        let data = serde_json::to_value(data).map_err(Error::internal)?;
        if sink(Event { name, data }) {
            Ok(())
        } else {
            self.cancel();
            self.check()
        }
    }

    /// Tells whoever follows how far the call is.
    ///
    /// # Errors
    /// `Cancelled`, as [`Context::emit`].
    pub fn progress(&self, done: u64, total: u64, message: impl Into<String>) -> Result<()> {
        let message = message.into();
        self.emit(
            "progress",
            &Progress {
                done,
                total,
                message,
            },
        )
    }

    /// Writes into the audit entry of this call, e.g. what a value was before. Nothing private, and before the change is
    /// written: the entry is committed with it.
    pub fn note(&self, name: &str, value: impl Into<Value>) {
        self.notes.lock().insert(name.to_owned(), value.into());
    }

    /// What was noted.
    pub fn notes(&self) -> Map<String, Value> {
        self.notes.lock().clone()
    }
}

/// Something the product can do.
pub trait Capability: Send + Sync + 'static {
    /// What it takes.
    type Input: DeserializeOwned + JsonSchema + Send;
    /// What it gives.
    type Output: Serialize + JsonSchema + Send;

    /// Its description.
    fn definition(&self) -> Definition;

    /// Does it.
    ///
    /// # Errors
    /// As documented by the capability; the message is for the person who asked.
    fn call(
        &self,
        context: &Context,
        input: Self::Input,
    ) -> impl Future<Output = Result<Self::Output>> + Send;
}

type Reply<'a> = Pin<Box<dyn Future<Output = Result<Value>> + Send + 'a>>;

trait Erased: Send + Sync {
    fn call<'a>(&'a self, context: &'a Context, input: Value) -> Reply<'a>;
}

impl<C: Capability> Erased for C {
    fn call<'a>(&'a self, context: &'a Context, input: Value) -> Reply<'a> {
        Box::pin(async move {
            let input = read_input(input)?;
            let output = Capability::call(self, context, input).await?;
            serde_json::to_value(output).map_err(Error::internal)
        })
    }
}

/// An input from JSON.
///
/// # Errors
/// `InvalidInput`, saying in Chinese what is wrong with it.
pub fn read_input<T: DeserializeOwned>(input: Value) -> Result<T> {
    serde_json::from_value(input).map_err(|e| {
        Error::new(
            ErrorCode::InvalidInput,
            format!(
                "请求的内容不符合要求：{}。请对照接口文档检查字段名和类型。",
                chinese_reason(&e)
            ),
        )
        .with_detail(&e)
    })
}

fn chinese_reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let quoted = |start: &str| {
        text.strip_prefix(start)
            .and_then(|t| t.split('`').next())
            .map(str::to_owned)
    };
    if let Some(field) = quoted("missing field `") {
        format!("缺少字段“{field}”")
    } else if let Some(field) = quoted("unknown field `") {
        format!("没有“{field}”这个字段")
    } else if let Some(value) = quoted("unknown variant `") {
        format!("“{value}”不是可用的取值")
    } else if text.starts_with("invalid type") {
        "有字段的类型不对".to_owned()
    } else {
        "有字段的取值不对".to_owned()
    }
}

/// A capability as the doors see it.
#[derive(Clone)]
pub struct Registered {
    /// Its description.
    pub definition: Definition,
    /// JSON Schema of its input.
    pub input: Schema,
    /// JSON Schema of its output.
    pub output: Schema,
    call: Arc<dyn Erased>,
}

impl Registered {
    /// Takes a capability in.
    pub fn new<C: Capability>(capability: C) -> Self {
        let settings = schemars::generate::SchemaSettings::draft2020_12();
        Self {
            definition: capability.definition(),
            input: settings
                .clone()
                .into_generator()
                .into_root_schema_for::<C::Input>(),
            output: settings
                .for_serialize()
                .into_generator()
                .into_root_schema_for::<C::Output>(),
            call: Arc::new(capability),
        }
    }

    /// Calls it. Whether the caller may is for whoever holds the catalogue to say.
    ///
    /// # Errors
    /// `InvalidInput`, and what the capability returns.
    pub async fn call(&self, context: &Context, input: Value) -> Result<Value> {
        self.call.call(context, input).await
    }
}
