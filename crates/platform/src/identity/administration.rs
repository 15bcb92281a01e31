//! What administrators can do with accounts, departments, keys and permissions.

use std::{collections::BTreeSet, sync::Arc};

use kernel::{
    Error, ErrorCode, Page, Result,
    capability::{ById, Capability, Context, Definition, Permission, Registered},
    identity::Role,
    page::PageRequest,
};

use super::{
    Identity,
    capabilities::Nothing,
    departments::Department,
    inputs::{
        CreatedKey, DepartmentChangeInput, DepartmentInput, Invited, NewKeyInput, NewUserInput,
        PermissionInput, PermissionView, SpaceInput, UserChangeInput, UsersInput,
    },
    keys::{KeyView, NewKey},
    links::{Link, LinkPurpose},
    policy::SpaceRule,
    users::{Change, User, UserState},
};

/// All of them.
pub(super) fn all(identity: &Arc<Identity>) -> Vec<Registered> {
    vec![
        Registered::new(ListUsers(identity.clone())),
        Registered::new(GetUser(identity.clone())),
        Registered::new(CreateUser(identity.clone())),
        Registered::new(UpdateUser(identity.clone())),
        Registered::new(MakeLink(identity.clone())),
        Registered::new(EndSignIns(identity.clone())),
        Registered::new(ListDepartments(identity.clone())),
        Registered::new(CreateDepartment(identity.clone())),
        Registered::new(UpdateDepartment(identity.clone())),
        Registered::new(RemoveDepartment(identity.clone())),
        Registered::new(ListKeys(identity.clone())),
        Registered::new(CreateKey(identity.clone())),
        Registered::new(RevokeKey(identity.clone())),
        Registered::new(ListPermissions(identity.clone())),
        Registered::new(UpdatePermission(identity.clone())),
        Registered::new(ListSpaces(identity.clone())),
        Registered::new(UpdateSpace(identity.clone())),
    ]
}

/// Roles, for the audit log.
fn names(roles: &BTreeSet<Role>) -> String {
    roles
        .iter()
        .map(|r| r.as_str())
        .collect::<Vec<_>>()
        .join(" ")
}

fn list(items: &BTreeSet<String>) -> String {
    items.iter().cloned().collect::<Vec<_>>().join(" ")
}

fn json(value: &impl serde::Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(Error::internal)
}

struct ListUsers(Arc<Identity>);

impl Capability for ListUsers {
    type Input = UsersInput;
    type Output = Page<User>;

    fn definition(&self) -> Definition {
        Definition::get(
            "users.list",
            "账号",
            "分页列出账号，可按姓名或登录名、状态、部门筛选。",
            "/users",
        )
        .open_to(Permission::ADMINISTRATOR)
    }

    async fn call(&self, _: &Context, input: UsersInput) -> Result<Page<User>> {
        let page = PageRequest {
            page: input.page,
            page_size: input.page_size,
        };
        self.0
            .list_users(
                input.text.as_deref(),
                input.state,
                input.department.as_deref(),
                page,
            )
            .await
    }
}

struct GetUser(Arc<Identity>);

impl Capability for GetUser {
    type Input = ById;
    type Output = User;

    fn definition(&self) -> Definition {
        Definition::get("users.get", "账号详情", "取得一个账号。", "/users/{id}")
            .open_to(Permission::ADMINISTRATOR)
    }

    async fn call(&self, _: &Context, input: ById) -> Result<User> {
        self.0.user(&input.id).await
    }
}

struct CreateUser(Arc<Identity>);

impl Capability for CreateUser {
    type Input = NewUserInput;
    type Output = Invited;

    fn definition(&self) -> Definition {
        Definition::post(
            "users.create",
            "新建账号",
            "为工作人员新建账号，返回一次性的邀请链接，由本人打开设置密码。",
            "/users",
        )
    }

    async fn call(&self, context: &Context, input: NewUserInput) -> Result<Invited> {
        let (user, write) = self
            .0
            .new_user(&input.login, &input.name, input.roles, input.departments)
            .await?;
        let (link, link_write) = self.0.new_link(LinkPurpose::Invitation, Some(&user.id))?;
        context.note("login", user.login.as_str());
        context.note("roles", names(&user.roles));
        let applied = self.0.records.apply(vec![write, link_write]).await;
        applied.map_err(|e| match e.code {
            ErrorCode::Conflict => Error::new(
                ErrorCode::Conflict,
                format!("登录名“{}”已被使用，请换一个。", user.login),
            ),
            _ => e,
        })?;
        Ok(Invited { user, link })
    }
}

struct UpdateUser(Arc<Identity>);

impl Capability for UpdateUser {
    type Input = UserChangeInput;
    type Output = User;

    fn definition(&self) -> Definition {
        Definition::post(
            "users.update",
            "修改账号",
            "修改账号的姓名、角色、部门，或停用、启用它。改动立即生效；停用后已登录的立即退出。",
            "/users/{id}",
        )
    }

    async fn call(&self, context: &Context, input: UserChangeInput) -> Result<User> {
        let before = self.0.user(&input.id).await?;
        context.note("login", before.login.as_str());
        if let Some(name) = &input.name {
            context.note("name_before", before.name.as_str());
            context.note("name_after", name.as_str());
        }
        if let Some(roles) = &input.roles {
            context.note("roles_before", names(&before.roles));
            context.note("roles_after", names(roles));
        }
        if let Some(departments) = &input.departments {
            context.note("departments_before", list(&before.departments));
            context.note("departments_after", list(departments));
        }
        if let Some(disabled) = input.disabled {
            context.note("disabled_before", before.state == UserState::Disabled);
            context.note("disabled_after", disabled);
        }
        let change = Change {
            name: input.name,
            roles: input.roles,
            departments: input.departments,
            disabled: input.disabled,
        };
        self.0.change_user(&input.id, change).await
    }
}

struct MakeLink(Arc<Identity>);

impl Capability for MakeLink {
    type Input = ById;
    type Output = Link;

    fn definition(&self) -> Definition {
        Definition::post(
            "users.link",
            "重置密码链接",
            "为账号生成一次性链接，由本人打开设置新密码；同时解除登录锁定。",
            "/users/{id}/link",
        )
    }

    async fn call(&self, context: &Context, input: ById) -> Result<Link> {
        let user = self.0.user(&input.id).await?;
        context.note("login", user.login);
        self.0.link_for(&input.id).await
    }
}

struct EndSignIns(Arc<Identity>);

impl Capability for EndSignIns {
    type Input = ById;
    type Output = User;

    fn definition(&self) -> Definition {
        Definition::post(
            "users.sign_out",
            "强制退出",
            "让一个账号在各处的登录立即失效。",
            "/users/{id}/sign-out",
        )
    }

    async fn call(&self, context: &Context, input: ById) -> Result<User> {
        let user = self.0.user(&input.id).await?;
        context.note("login", user.login.as_str());
        let ended = self.0.sign_outs(&input.id, None).await?;
        self.0.records.apply(ended).await?;
        self.0.forget();
        Ok(user)
    }
}

struct ListDepartments(Arc<Identity>);

impl Capability for ListDepartments {
    type Input = Nothing;
    type Output = Vec<Department>;

    fn definition(&self) -> Definition {
        Definition::get("departments.list", "部门", "列出全部部门。", "/departments")
            .open_to(Permission::STAFF)
    }

    async fn call(&self, _: &Context, _: Nothing) -> Result<Vec<Department>> {
        self.0.departments().await
    }
}

struct CreateDepartment(Arc<Identity>);

impl Capability for CreateDepartment {
    type Input = DepartmentInput;
    type Output = Department;

    fn definition(&self) -> Definition {
        Definition::post(
            "departments.create",
            "新建部门",
            "新建一个部门，可指定上级部门。",
            "/departments",
        )
    }

    async fn call(&self, context: &Context, input: DepartmentInput) -> Result<Department> {
        context.note("name", input.name.as_str());
        self.0
            .save_department(None, &input.name, input.parent.as_deref())
            .await
    }
}

struct UpdateDepartment(Arc<Identity>);

impl Capability for UpdateDepartment {
    type Input = DepartmentChangeInput;
    type Output = Department;

    fn definition(&self) -> Definition {
        Definition::post(
            "departments.update",
            "修改部门",
            "修改部门的名称或上级部门。",
            "/departments/{id}",
        )
    }

    async fn call(&self, context: &Context, input: DepartmentChangeInput) -> Result<Department> {
        let before = self.0.department(&input.id).await?;
        context.note("name_before", before.name);
        context.note("name_after", input.name.as_str());
        context.note("parent_before", before.parent.unwrap_or_default());
        context.note("parent_after", input.parent.as_deref().unwrap_or_default());
        self.0
            .save_department(Some(&input.id), &input.name, input.parent.as_deref())
            .await
    }
}

struct RemoveDepartment(Arc<Identity>);

impl Capability for RemoveDepartment {
    type Input = ById;
    type Output = Department;

    fn definition(&self) -> Definition {
        Definition::delete(
            "departments.remove",
            "删除部门",
            "删除一个没有人员和下级的部门。",
            "/departments/{id}",
        )
    }

    async fn call(&self, context: &Context, input: ById) -> Result<Department> {
        context.note("name", self.0.department(&input.id).await?.name);
        self.0.remove_department(&input.id).await
    }
}

struct ListKeys(Arc<Identity>);

impl Capability for ListKeys {
    type Input = PageRequest;
    type Output = Page<KeyView>;

    fn definition(&self) -> Definition {
        Definition::get(
            "keys.list",
            "密钥",
            "分页列出接口密钥，最近的在前；密钥本身不显示。",
            "/keys",
        )
        .open_to(Permission::ADMINISTRATOR)
    }

    async fn call(&self, _: &Context, input: PageRequest) -> Result<Page<KeyView>> {
        self.0.list_keys(input).await
    }
}

struct CreateKey(Arc<Identity>);

impl Capability for CreateKey {
    type Input = NewKeyInput;
    type Output = CreatedKey;

    fn definition(&self) -> Definition {
        Definition::post(
            "keys.create",
            "新建密钥",
            "新建接口密钥，可限定角色、能力范围和有效期；密钥只显示这一次。",
            "/keys",
        )
    }

    async fn call(&self, context: &Context, input: NewKeyInput) -> Result<CreatedKey> {
        let scoped = context
            .caller
            .account
            .as_ref()
            .and_then(|a| a.scope.as_ref());
        let within =
            scoped.is_none_or(|own| input.scope.as_ref().is_some_and(|new| new.is_subset(own)));
        if !within {
            return Err(Error::new(
                ErrorCode::Forbidden,
                "这个密钥限定了能力范围，用它新建的密钥不能超出这个范围。",
            ));
        }
        context.note("name", input.name.as_str());
        context.note("roles", names(&input.roles));
        if let Some(scope) = &input.scope {
            self.0.require_capabilities(scope)?;
            context.note("scope", list(scope));
        }
        let created_by = context.caller.account.as_ref().map(|a| a.name.clone());
        let new = NewKey {
            name: input.name,
            roles: input.roles,
            scope: input.scope,
            departments: input.departments,
            days: input.days,
            created_by: created_by.unwrap_or_default(),
        };
        let (view, key) = self.0.create_key(new).await?;
        Ok(CreatedKey { view, key })
    }
}

struct RevokeKey(Arc<Identity>);

impl Capability for RevokeKey {
    type Input = ById;
    type Output = KeyView;

    fn definition(&self) -> Definition {
        Definition::delete(
            "keys.revoke",
            "吊销密钥",
            "吊销一个密钥，立即失效，不能恢复。",
            "/keys/{id}",
        )
    }

    async fn call(&self, context: &Context, input: ById) -> Result<KeyView> {
        context.note("name", self.0.key(&input.id).await?.name);
        self.0.revoke_key(&input.id).await
    }
}

struct ListPermissions(Arc<Identity>);

impl Capability for ListPermissions {
    type Input = Nothing;
    type Output = Vec<PermissionView>;

    fn definition(&self) -> Definition {
        Definition::get(
            "permissions.list",
            "能力权限",
            "列出每项能力谁可以使用，以及默认规则。",
            "/permissions",
        )
        .open_to(Permission::ADMINISTRATOR)
    }

    async fn call(&self, _: &Context, _: Nothing) -> Result<Vec<PermissionView>> {
        let mut all = Vec::new();
        for definition in self.0.definitions() {
            all.push(PermissionView {
                capability: definition.name.to_owned(),
                title: definition.title.to_owned(),
                description: definition.description.to_owned(),
                effects: definition.effects,
                default: definition.permission.into(),
                access: self.0.access(definition).await?,
            });
        }
        Ok(all)
    }
}

struct UpdatePermission(Arc<Identity>);

impl Capability for UpdatePermission {
    type Input = PermissionInput;
    type Output = PermissionView;

    fn definition(&self) -> Definition {
        Definition::post(
            "permissions.update",
            "修改能力权限",
            "指定谁可以使用一项能力；不给出规则则恢复默认。管理员始终可以使用。",
            "/permissions/{capability}",
        )
    }

    async fn call(&self, context: &Context, input: PermissionInput) -> Result<PermissionView> {
        let definition = self.0.definition(&input.capability)?;
        let before = self.0.access(definition).await?;
        context.note("before", json(&before)?);
        context.note("after", json(&input.access)?);
        self.0.set_access(definition, input.access).await?;
        Ok(PermissionView {
            capability: definition.name.to_owned(),
            title: definition.title.to_owned(),
            description: definition.description.to_owned(),
            effects: definition.effects,
            default: definition.permission.into(),
            access: self.0.access(definition).await?,
        })
    }
}

struct ListSpaces(Arc<Identity>);

impl Capability for ListSpaces {
    type Input = Nothing;
    type Output = Vec<SpaceRule>;

    fn definition(&self) -> Definition {
        Definition::get(
            "spaces.rules",
            "知识空间权限",
            "列出限定了可见范围的知识空间；未列出的对所有人可见。",
            "/spaces",
        )
        .open_to(Permission::ADMINISTRATOR)
    }

    async fn call(&self, _: &Context, _: Nothing) -> Result<Vec<SpaceRule>> {
        self.0.space_rules().await
    }
}

struct UpdateSpace(Arc<Identity>);

impl Capability for UpdateSpace {
    type Input = SpaceInput;
    type Output = Vec<SpaceRule>;

    fn definition(&self) -> Definition {
        Definition::post(
            "spaces.update",
            "修改知识空间权限",
            "指定谁可以看到一个知识空间；不给出规则则对所有人可见。",
            "/spaces",
        )
    }

    async fn call(&self, context: &Context, input: SpaceInput) -> Result<Vec<SpaceRule>> {
        context.note("space", input.space.as_str());
        let rules = self.0.space_rules().await?;
        let before = rules.into_iter().find(|r| r.space == input.space.trim());
        context.note("before", json(&before.map(|r| r.access))?);
        context.note("after", json(&input.access)?);
        self.0.set_space_rule(&input.space, input.access).await?;
        self.0.space_rules().await
    }
}
