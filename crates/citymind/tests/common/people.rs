//! People and programs that come to a server: browsers with cookies, keys, accounts.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::{Value, json};

use super::{Server, expect};

/// A password that is strong enough.
pub const PASSWORD: &str = "四个 不相关的 词 horse";

/// A browser: it keeps cookies, and is followed from page to page by hand.
pub struct Browser<'a> {
    server: &'a Server,
    client: Client,
    jar: Mutex<BTreeMap<String, String>>,
}

impl<'a> Browser<'a> {
    pub fn new(server: &'a Server) -> Self {
        Self {
            server,
            client: unfollowing(),
            jar: Mutex::default(),
        }
    }

    /// The same browser's cookies in another one: what a thief has copied.
    pub fn copy(&self) -> Self {
        let jar = self.jar.lock().unwrap().clone();
        Self {
            jar: Mutex::new(jar),
            ..Self::new(self.server)
        }
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = if path.starts_with("http") {
            path.to_owned()
        } else {
            self.server.url(path)
        };
        let jar = self.jar.lock().unwrap_or_else(PoisonError::into_inner);
        let cookies: Vec<String> = jar.iter().map(|(n, v)| format!("{n}={v}")).collect();
        let request = self.client.request(method, url);
        if cookies.is_empty() {
            request
        } else {
            request.header("cookie", cookies.join("; "))
        }
    }

    pub fn get(&self, path: &str) -> RequestBuilder {
        self.request(Method::GET, path)
    }

    pub fn post(&self, path: &str) -> RequestBuilder {
        self.request(Method::POST, path)
    }

    pub fn delete(&self, path: &str) -> RequestBuilder {
        self.request(Method::DELETE, path)
    }

    /// Sends a request and keeps the reply's cookies.
    pub async fn send(&self, request: RequestBuilder) -> Response {
        let response = request.send().await.unwrap();
        let mut jar = self.jar.lock().unwrap();
        for cookie in set_cookies(&response) {
            let (pair, attributes) = cookie.split_once(';').unwrap_or((&cookie, ""));
            let (name, value) = pair.split_once('=').unwrap();
            if attributes.contains("Max-Age=0") {
                jar.remove(name);
            } else {
                jar.insert(name.to_owned(), value.to_owned());
            }
        }
        drop(jar);
        response
    }

    pub async fn status(&self, request: RequestBuilder) -> u16 {
        self.send(request).await.status().as_u16()
    }

    /// What a path gives to who sits at this browser.
    pub async fn read(&self, path: &str) -> Value {
        let response = self.send(self.get(path)).await;
        assert_eq!(response.status(), 200, "{path}");
        response.json().await.unwrap()
    }

    /// Who is signed in here, by login name.
    pub async fn who(&self) -> Option<String> {
        let me = self.read("/api/v1/auth/me").await;
        me["user"]["login"].as_str().map(str::to_owned)
    }

    pub fn cookie(&self, name: &str) -> Option<String> {
        self.jar.lock().unwrap().get(name).cloned()
    }

    pub async fn sign_in(&self, login: &str, password: &str) -> Response {
        let form = json!({"login": login, "password": password});
        self.send(self.post("/api/v1/auth/sign-in").json(&form))
            .await
    }

    /// Opens a one-time link and sets the password.
    pub async fn redeem(&self, secret: &str, password: &str) -> Response {
        let form = json!({"secret": secret, "password": password});
        self.send(self.post("/api/v1/auth/redeem").json(&form))
            .await
    }

    pub async fn sign_out(&self) {
        let request = self.post("/api/v1/auth/sign-out");
        assert_eq!(self.status(request).await, 204);
    }
}

/// A client that goes where it is told and no further.
pub fn unfollowing() -> Client {
    // The same for every test of a process: only the first call counts.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .no_proxy()
        .pool_max_idle_per_host(0)
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap()
}

pub fn set_cookies(response: &Response) -> Vec<String> {
    let all = response.headers().get_all("set-cookie").iter();
    all.map(|v| v.to_str().unwrap().to_owned()).collect()
}

pub fn location(response: &Response) -> String {
    response.headers()["location"].to_str().unwrap().to_owned()
}

/// What follows `#` in the page of a link.
pub fn secret_of(link: &Value) -> String {
    let path = link["path"].as_str().unwrap();
    path.split_once('#').unwrap().1.to_owned()
}

impl Server {
    /// The secrets of the set-up links in the log, the latest last.
    pub fn setup_links(&self) -> Vec<String> {
        let log = self.log();
        let links = log.lines().filter_map(|line| line.split_once("/setup#"));
        links.map(|(_, secret)| secret.trim().to_owned()).collect()
    }

    /// The first administrator, signed in.
    pub async fn administrator(&self) -> Browser<'_> {
        let secret =
            super::wait_for("the set-up link", || async { self.setup_links().pop() }).await;
        let browser = Browser::new(self);
        let response = browser.redeem(&secret, PASSWORD).await;
        assert_eq!(response.status(), 200, "{}", response.text().await.unwrap());
        browser
    }

    /// A new account with its password set: its id.
    pub async fn account(&self, login: &str, roles: &[&str], departments: &[&str]) -> String {
        let (id, secret) = self.invite(login, roles, departments).await;
        let response = Browser::new(self).redeem(&secret, PASSWORD).await;
        assert_eq!(response.status(), 200, "{}", response.text().await.unwrap());
        id
    }

    /// A new account: its id and the secret of its invitation.
    pub async fn invite(
        &self,
        login: &str,
        roles: &[&str],
        departments: &[&str],
    ) -> (String, String) {
        let form = json!({
            "login": login, "name": format!("{login}先生"), "roles": roles, "departments": departments,
        });
        let invited = expect(200, self.post("/api/v1/users").json(&form)).await;
        let id = invited["user"]["id"].as_str().unwrap().to_owned();
        (id, secret_of(&invited["link"]))
    }

    /// A browser in which somebody has signed in.
    pub async fn signed_in(&self, login: &str) -> Browser<'_> {
        let browser = Browser::new(self);
        let response = browser.sign_in(login, PASSWORD).await;
        assert_eq!(response.status(), 200, "{}", response.text().await.unwrap());
        browser
    }

    /// A new key: its id and the key itself.
    pub async fn new_key(&self, form: &Value) -> (String, String) {
        let created = expect(200, self.post("/api/v1/keys").json(form)).await;
        let text = |name: &str| created[name].as_str().unwrap().to_owned();
        (text("id"), text("key"))
    }

    /// A key with these roles.
    pub async fn key_of(&self, roles: &[&str]) -> String {
        let form = json!({"name": roles.join(" "), "roles": roles});
        self.new_key(&form).await.1
    }

    /// The token of a verified person of the demonstration.
    pub async fn demo_person(&self, name: &str) -> String {
        let request = self.anonymous("POST", "/api/v1/demo/sign-in");
        let signed_in = expect(200, request.json(&json!({"name": name}))).await;
        signed_in["token"].as_str().unwrap().to_owned()
    }

    /// A new department: its id.
    pub async fn department(&self, name: &str) -> String {
        let made = expect(
            200,
            self.post("/api/v1/departments")
                .json(&json!({"name": name})),
        )
        .await;
        made["id"].as_str().unwrap().to_owned()
    }

    /// A request with a key or a token.
    pub fn with(&self, key: &str, method: &str, path: &str) -> RequestBuilder {
        self.anonymous(method, path).bearer_auth(key)
    }
}
