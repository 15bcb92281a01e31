//! Departments.

use kernel::{
    Error, ErrorCode, Result,
    id::fresh,
    records::{Collection, Condition, Query, Sort, Write},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Identity, users::USERS};

pub(super) const DEPARTMENTS: Collection = Collection {
    name: "departments",
    indexed: &["name"],
};

/// A department.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Department {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The department that it belongs to, by id.
    #[serde(default)]
    pub parent: Option<String>,
}

impl Identity {
    /// All departments, by name.
    ///
    /// # Errors
    /// `Storage`.
    pub async fn departments(&self) -> Result<Vec<Department>> {
        let query = Query {
            sort: Some(Sort {
                field: "name".into(),
                descending: false,
            }),
            ..Query::default()
        };
        self.records.list(&DEPARTMENTS, &query).await
    }

    pub(super) async fn department(&self, id: &str) -> Result<Department> {
        let found = self.records.read(&DEPARTMENTS, id).await?;
        found.ok_or_else(|| Error::not_found("这个部门"))
    }

    /// Makes a department, or changes the one with this id.
    ///
    /// # Errors
    /// `InvalidInput`, `NotFound`, `Conflict` for a name that another has, `Storage`.
    pub async fn save_department(
        &self,
        id: Option<&str>,
        name: &str,
        parent: Option<&str>,
    ) -> Result<Department> {
        let name = name.trim();
        if name.is_empty() || name.chars().count() > 50 {
            return Err(Error::new(
                ErrorCode::InvalidInput,
                "部门名称应为 1 到 50 个字。",
            ));
        }
        let all = self.departments().await?;
        if all
            .iter()
            .any(|d| d.name == name && Some(d.id.as_str()) != id)
        {
            return Err(Error::new(
                ErrorCode::Conflict,
                format!("已有名为“{name}”的部门。"),
            ));
        }
        if let Some(id) = id
            && !all.iter().any(|d| d.id == id)
        {
            return Err(Error::not_found("这个部门"));
        }
        let parent = parent.filter(|p| !p.is_empty());
        // Upwards from the parent: the department itself must not come again.
        let mut above = parent;
        while let Some(at) = above {
            let Some(found) = all.iter().find(|d| d.id == at) else {
                return Err(Error::not_found("上级部门"));
            };
            if Some(at) == id {
                return Err(Error::new(
                    ErrorCode::InvalidInput,
                    "上级部门不能是本部门或它的下级。",
                ));
            }
            above = found.parent.as_deref();
        }
        let department = Department {
            id: id.map_or_else(fresh, str::to_owned),
            name: name.to_owned(),
            parent: parent.map(str::to_owned),
        };
        self.records
            .save(&DEPARTMENTS, &department.id, &department)
            .await?;
        Ok(department)
    }

    /// Removes a department that nobody belongs to.
    ///
    /// # Errors
    /// `NotFound`, `Conflict` while people or departments belong to it, `Storage`.
    pub async fn remove_department(&self, id: &str) -> Result<Department> {
        let all = self.departments().await?;
        let Some(department) = all.iter().find(|d| d.id == id) else {
            return Err(Error::not_found("这个部门"));
        };
        let people = self
            .records
            .count(&USERS, &[Condition::contains("department_list", id)])
            .await?;
        if people > 0 || all.iter().any(|d| d.parent.as_deref() == Some(id)) {
            return Err(Error::new(
                ErrorCode::Conflict,
                format!(
                    "“{}”还有 {people} 人或下级部门，请先移走再删除。",
                    department.name
                ),
            ));
        }
        self.records
            .apply(vec![Write::Delete {
                collection: DEPARTMENTS.name,
                id: id.to_owned(),
            }])
            .await?;
        Ok(department.clone())
    }
}
