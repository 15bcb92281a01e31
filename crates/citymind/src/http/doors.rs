//! Doors that are no capabilities, since they move files, streams or cookies, and are described like them: they pass the
//! same gate and stand in the same OpenAPI document.

use kernel::capability::{Definition, Permission};
use knowledge::capabilities::EDITORS;

pub(crate) const STATUS: Definition = Definition::get(
    "status",
    "运行状态",
    "本系统的名称、版本、所用模型和知识库规模。",
    "/status",
);
pub(crate) const UPLOAD: Definition = Definition::post(
    "knowledge.upload",
    "导入文件",
    "上传文件、文件夹或 .zip 并开始导入。",
    "/knowledge/imports",
)
.open_to(EDITORS);
pub(crate) const IMPORT_EVENTS: Definition = Definition::get(
    "knowledge.import_events",
    "导入进度",
    "以服务器推送事件跟随一次导入。",
    "/knowledge/imports/{id}/events",
)
.open_to(EDITORS);
pub(crate) const ORIGINAL: Definition = Definition::get(
    "knowledge.original",
    "下载原件",
    "下载一份文件的原件。",
    "/knowledge/documents/{id}/original",
);
pub(crate) const PICTURE: Definition = Definition::get(
    "knowledge.picture",
    "查看图片",
    "取得一份文件里的一张图片，序号从 0 开始，与阅读文件所列的相同。",
    "/knowledge/documents/{id}/pictures/{picture}",
);
pub(crate) const ME: Definition = Definition::get(
    "auth.me",
    "当前登录",
    "当前登录的账号、可用的能力和登录方式。",
    "/auth/me",
);
pub(crate) const SIGN_IN: Definition = Definition::post(
    "auth.sign_in",
    "登录",
    "用登录名和密码登录，登录凭据放在 Cookie 里。",
    "/auth/sign-in",
)
.open_to(Permission::Public);
pub(crate) const SIGN_OUT: Definition = Definition::post(
    "auth.sign_out",
    "退出登录",
    "让当前登录立即失效。",
    "/auth/sign-out",
)
.open_to(Permission::Public);
pub(crate) const LINK: Definition = Definition::post(
    "auth.link",
    "查看一次性链接",
    "查看首次设置、邀请或重置密码的链接是否可用、给谁用。",
    "/auth/link",
)
.open_to(Permission::Public)
.without_effects();
pub(crate) const REDEEM: Definition = Definition::post(
    "auth.redeem",
    "使用一次性链接",
    "用链接设置密码并登录；首次设置时同时建立管理员账号。",
    "/auth/redeem",
)
.open_to(Permission::Public);
pub(crate) const AUDIT_EXPORT: Definition = Definition::get(
    "audit.export",
    "导出审计日志",
    "以 JSON 行导出全部审计日志，末行为封签。",
    "/audit/export",
)
.open_to(Permission::ADMINISTRATOR);

pub(crate) const JOB_EVENTS: Definition = Definition::get(
    "jobs.events",
    "作业进度",
    "以服务器推送事件跟随一个作业。",
    "/jobs/{id}/events",
)
.open_to(Permission::ADMINISTRATOR);
pub(crate) const JOB_ARTIFACT: Definition = Definition::get(
    "jobs.artifact",
    "下载作业产物",
    "下载一个作业产生的文件。",
    "/jobs/{id}/artifacts/{name}",
)
.open_to(Permission::ADMINISTRATOR);
pub(crate) const CASE_DOCX: Definition = Definition::get(
    "cases.form_docx",
    "下载申请表（Word）",
    "下载一件申请的申请表，Word 格式；申请人和窗口人员可用。",
    "/cases/{id}/form.docx",
)
.open_to(Permission::SignedIn);
pub(crate) const CASE_PDF: Definition = Definition::get(
    "cases.form_pdf",
    "下载申请表（PDF）",
    "下载一件申请的申请表，PDF 格式；申请人和窗口人员可用。",
    "/cases/{id}/form.pdf",
)
.open_to(Permission::SignedIn);
pub(crate) const GUIDE_DOCX: Definition = Definition::get(
    "guides.form_docx",
    "下载填好的申请表（Word）",
    "下载本人对话里已经填好、还没有提交的申请表，Word 格式。",
    "/guides/{session}/form.docx",
);
pub(crate) const GUIDE_PDF: Definition = Definition::get(
    "guides.form_pdf",
    "下载填好的申请表（PDF）",
    "下载本人对话里已经填好、还没有提交的申请表，PDF 格式。",
    "/guides/{session}/form.pdf",
);
pub(crate) const MATERIAL_UPLOAD: Definition = Definition::post(
    "cases.add_material",
    "上传申请材料",
    "为本人办件的一项材料上传文件：PDF、Word、JPG、PNG 或 txt，最大 20 MB；随即与申请表核对。",
    "/cases/{id}/materials",
)
.open_to(Permission::SignedIn);
pub(crate) const MATERIAL: Definition = Definition::get(
    "cases.material",
    "下载申请材料",
    "下载一件申请里上传的材料文件；申请人和窗口人员可用。",
    "/cases/{id}/materials/{upload}",
)
.open_to(Permission::SignedIn);
pub(crate) const OIDC_BEGIN: Definition = Definition::get(
    "auth.oidc",
    "统一身份认证登录",
    "转到身份认证服务登录，登录后回到 to 所指的页面。",
    "/auth/oidc/{provider}",
);
pub(crate) const OIDC_CALLBACK: Definition = Definition {
    effects: true,
    ..Definition::get(
        "auth.oidc_callback",
        "统一身份认证返回",
        "身份认证服务登录后的返回地址，由浏览器自动打开。",
        "/auth/oidc/{provider}/callback",
    )
};
pub(crate) const DEMO_SIGN_IN: Definition = Definition::post(
    "demo.sign_in",
    "演示登录",
    "以演示城市中某人的身份登录，返回供程序使用的凭据；只在载入演示城市时可用。",
    "/demo/sign-in",
)
.open_to(Permission::Public);

/// Below no `/api/v1`, where clients of the OpenAI interface look for them.
pub(crate) const V1_CHAT: Definition = Definition::post(
    "v1.chat_completions",
    "对话（OpenAI 兼容）",
    "OpenAI 兼容的对话接口；模型 service 是智答，答案附依据，可以办事。",
    "/v1/chat/completions",
)
.open_to(Permission::Public)
.without_effects()
.streaming();
pub(crate) const V1_MODELS: Definition = Definition::get(
    "v1.models",
    "模型列表（OpenAI 兼容）",
    "OpenAI 兼容的模型列表。",
    "/v1/models",
);
pub(crate) const V1_EMBEDDINGS: Definition = Definition::post(
    "v1.embeddings",
    "向量（OpenAI 兼容）",
    "OpenAI 兼容的向量接口，用正在使用的向量模型。",
    "/v1/embeddings",
)
.open_to(Permission::SignedIn)
.without_effects();

/// Below no `/api/v1`, where monitoring looks for it. It is no call of the product: it isn't written into the audit log.
pub(crate) const METRICS: Definition = Definition::get(
    "metrics",
    "运行指标",
    "运行指标（OpenMetrics）。本机免登录；经代理或在别处抓取需要有此权限的密钥。",
    "/metrics",
)
.open_to(Permission::ADMINISTRATOR);

/// All of them.
pub(crate) const ALL: &[Definition] = &[
    STATUS,
    UPLOAD,
    IMPORT_EVENTS,
    ORIGINAL,
    PICTURE,
    ME,
    SIGN_IN,
    SIGN_OUT,
    LINK,
    REDEEM,
    AUDIT_EXPORT,
    JOB_EVENTS,
    JOB_ARTIFACT,
    CASE_DOCX,
    CASE_PDF,
    GUIDE_DOCX,
    GUIDE_PDF,
    MATERIAL_UPLOAD,
    MATERIAL,
    OIDC_BEGIN,
    OIDC_CALLBACK,
    DEMO_SIGN_IN,
    V1_CHAT,
    V1_MODELS,
    V1_EMBEDDINGS,
    METRICS,
];
