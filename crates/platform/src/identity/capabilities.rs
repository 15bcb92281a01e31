//! What somebody who is signed in can do with the own account.

use std::sync::Arc;

use kernel::{
    Error, ErrorCode, Result,
    capability::{ById, Capability, Context, Definition, Permission, Registered},
    identity::Via,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Identity, administration, sign_ins::OpenSignIn};

/// All capabilities of identity.
pub fn all(identity: &Arc<Identity>) -> Vec<Registered> {
    let mut all = vec![
        Registered::new(ChangePassword(identity.clone())),
        Registered::new(OpenSignIns(identity.clone())),
        Registered::new(EndSignIn(identity.clone())),
    ];
    all.extend(administration::all(identity));
    all
}

/// Takes nothing.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Nothing {}

/// A thing was done.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Done {
    /// Always true.
    pub done: bool,
}

fn own_user(context: &Context) -> Result<&str> {
    let account = context.caller.account.as_ref();
    account
        .filter(|a| a.via == Via::SignIn)
        .map(|a| a.id.as_str())
        .ok_or_else(|| {
            Error::new(
                ErrorCode::Forbidden,
                "这项操作要由本人登录后进行，不能用密钥。",
            )
        })
}

struct ChangePassword(Arc<Identity>);

/// A change of one's own password.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordInput {
    /// The present password.
    #[schemars(length(min = 1, max = 512))]
    present: String,
    /// The new one.
    #[schemars(length(min = 1, max = 512))]
    new: String,
}

impl Capability for ChangePassword {
    type Input = PasswordInput;
    type Output = Done;

    fn definition(&self) -> Definition {
        Definition::post(
            "account.password",
            "修改密码",
            "修改自己的登录密码，全部登录随之退出，需用新密码重新登录。",
            "/account/password",
        )
        .open_to(Permission::SignedIn)
    }

    async fn call(&self, context: &Context, input: PasswordInput) -> Result<Done> {
        let id = own_user(context)?;
        self.0
            .change_password(id, &input.present, &input.new, None)
            .await?;
        Ok(Done { done: true })
    }
}

struct OpenSignIns(Arc<Identity>);

impl Capability for OpenSignIns {
    type Input = Nothing;
    type Output = Vec<OpenSignIn>;

    fn definition(&self) -> Definition {
        Definition::get(
            "account.sign_ins",
            "我的登录",
            "列出自己在各处的登录，最近的在前。",
            "/account/sign-ins",
        )
        .open_to(Permission::SignedIn)
    }

    async fn call(&self, context: &Context, _: Nothing) -> Result<Vec<OpenSignIn>> {
        self.0.open_sign_ins(own_user(context)?).await
    }
}

struct EndSignIn(Arc<Identity>);

impl Capability for EndSignIn {
    type Input = ById;
    type Output = Done;

    fn definition(&self) -> Definition {
        Definition::delete(
            "account.end_sign_in",
            "退出一处登录",
            "让自己在某一处的登录立即失效。",
            "/account/sign-ins/{id}",
        )
        .open_to(Permission::SignedIn)
    }

    async fn call(&self, context: &Context, input: ById) -> Result<Done> {
        let id = own_user(context)?;
        self.0.end_sign_in(id, &input.id).await?;
        Ok(Done { done: true })
    }
}
