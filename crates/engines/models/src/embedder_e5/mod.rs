//! Multilingual E5 (small, 4 bit) inside the process: texts to vectors of 384 numbers.
//!
//! The model (Wang et al., "Multilingual E5 Text Embeddings", 2024) wants to be told what a text is; [`EmbedAs`] becomes
//! the prefix it was trained with. Of a long text the first 512 tokens count, about 700 Chinese characters; what comes
//! later is cut.
//!
//! Work runs on blocking threads, a batch of about 512 tokens at a time. Passages share `threads` of them; questions do not
//! wait for passages. Between two batches a dropped call ends.

mod file;
mod network;
#[cfg(test)]
mod tests;
mod tokens;
mod vector;

use std::{
    fmt::Write as _,
    num::NonZeroUsize,
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
};

use async_trait::async_trait;
use futures_util::{StreamExt, TryStreamExt, stream};
use kernel::{
    Error, ErrorCode, Result,
    models::{EmbedAs, Embedder, ModelCard, Site},
};
use parking_lot::Mutex;
use rayon::{ThreadPool, ThreadPoolBuilder};
use sha2::{Digest, Sha256};
use tokio::sync::{OnceCell, Semaphore};

use file::ModelFile;
use network::{Network, Scratch};

/// Part of the version: changes with the arithmetic.
const NUMERICS: &str = "i8.1";
/// A batch ends with the text that brings it to so many tokens.
const BATCH_TOKENS: usize = 512;
/// The vectors' length.
const DIMENSIONS: usize = 384;
/// Tokens in a window.
const WINDOW: usize = 512;

/// An E5 model in a file of format `E5S1`. Cheap to clone.
#[derive(Clone)]
pub struct E5 {
    shared: Arc<Shared>,
}

struct Shared {
    name: String,
    path: PathBuf,
    digest: [u8; 32],
    threads: usize,
    network: OnceCell<Network>,
    /// Places for passages.
    places: Arc<Semaphore>,
    lanes: Mutex<Vec<Lane>>,
}

/// What a batch needs to itself.
struct Lane {
    /// One thread: products would otherwise spread over all cores.
    pool: ThreadPool,
    scratch: Scratch,
}

impl Lane {
    fn new() -> Result<Self> {
        let pool = ThreadPoolBuilder::new()
            .num_threads(1)
            .thread_name(|_| "embed".into())
            .build()
            .map_err(Error::internal)?;
        Ok(Self {
            pool,
            scratch: Scratch::default(),
        })
    }
}

impl E5 {
    /// The model in a file, under the name by which it is known; `threads` are used for passages. The file is only hashed
    /// now and read with the first text. Blocks for as long as that takes (70 MB: 0.05 to 0.3 s).
    ///
    /// # Errors
    /// `NotFound` where there is no such file, `ModelUnavailable` where it can't be read.
    pub fn open(name: impl Into<String>, path: &Path, threads: NonZeroUsize) -> Result<Self> {
        let name = name.into();
        let bytes = read(&name, path)?;
        Ok(Self {
            shared: Arc::new(Shared {
                digest: Sha256::digest(&bytes).into(),
                name,
                path: path.to_owned(),
                threads: threads.get(),
                network: OnceCell::new(),
                places: Arc::new(Semaphore::new(threads.get())),
                lanes: Mutex::default(),
            }),
        })
    }

    /// Loads the model, where it isn't loaded yet, so that the first question does not wait for it.
    ///
    /// # Errors
    /// `DamagedFile` where the file is no such model, `NotFound` and `ModelUnavailable` as [`E5::open`].
    pub async fn load(&self) -> Result<()> {
        self.shared.network().await.map(|_| ())
    }
}

fn read(name: &str, path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|error| {
        if error.kind() == std::io::ErrorKind::NotFound {
            Error::new(
                ErrorCode::NotFound,
                format!(
                    "没有找到向量模型文件 {}。请先运行 citymind models pull {name}。",
                    path.display()
                ),
            )
        } else {
            Error::new(
                ErrorCode::ModelUnavailable,
                format!(
                    "向量模型文件 {} 无法读取，请检查文件权限和磁盘。",
                    path.display()
                ),
            )
            .with_detail(error)
        }
    })
}

impl Shared {
    async fn network(self: &Arc<Self>) -> Result<&Network> {
        self.network
            .get_or_try_init(|| {
                let shared = Arc::clone(self);
                blocking(move || shared.build())
            })
            .await
    }

    fn build(&self) -> Result<Network> {
        let bytes = read(&self.name, &self.path)?;
        if <[u8; 32]>::from(Sha256::digest(&bytes)) != self.digest {
            return Err(Error::new(
                ErrorCode::ModelUnavailable,
                format!(
                    "向量模型文件 {} 在启动后被替换，请重新启动服务。",
                    self.path.display()
                ),
            ));
        }
        ModelFile::read(bytes)
            .and_then(Network::build)
            .and_then(|network| {
                let fits = network.shape.width == DIMENSIONS && network.shape.window == WINDOW;
                fits.then_some(network)
                    .ok_or_else(|| "不是 384 维、512 词窗口的 E5 模型".into())
            })
            .map_err(|flaw| {
                Error::new(
                    ErrorCode::DamagedFile,
                    format!(
                        "向量模型文件 {} 已损坏或不是 E5 模型：{flaw}。请运行 citymind models pull {} 重新下载。",
                        self.path.display(),
                        self.name
                    ),
                )
            })
    }

    /// Embeds some tokenised texts. Blocks.
    fn embed(&self, network: &Network, texts: &[Vec<u32>]) -> Result<Vec<Vec<f32>>> {
        let idle = self.lanes.lock().pop();
        let mut lane = match idle {
            Some(lane) => lane,
            None => Lane::new()?,
        };
        let Lane { pool, scratch } = &mut lane;
        let vectors = pool.install(|| network.embed(texts, scratch));
        self.lanes.lock().push(lane);
        vectors
    }

    async fn batch(self: Arc<Self>, texts: Vec<Vec<u32>>, kind: EmbedAs) -> Result<Vec<Vec<f32>>> {
        // The work holds its place, since it goes on to its end even where nobody waits any more.
        let place = match kind {
            EmbedAs::Passage => {
                let place = Arc::clone(&self.places).acquire_owned().await;
                Some(place.map_err(Error::internal)?)
            }
            EmbedAs::Query => None,
        };
        blocking(move || {
            let _place = place;
            match self.network.get() {
                Some(network) => self.embed(network, &texts),
                None => Err(Error::internal("an embedder is used before it is loaded")),
            }
        })
        .await
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(Error::internal)?
}

/// Neighbouring texts, a batch each.
fn batches(texts: &[Vec<u32>]) -> Vec<Range<usize>> {
    let mut batches = Vec::new();
    let (mut start, mut tokens) = (0, 0);
    for (at, text) in texts.iter().enumerate() {
        tokens += text.len();
        if tokens >= BATCH_TOKENS {
            batches.push(start..at + 1);
            (start, tokens) = (at + 1, 0);
        }
    }
    if start < texts.len() {
        batches.push(start..texts.len());
    }
    batches
}

#[async_trait]
impl Embedder for E5 {
    fn card(&self) -> ModelCard {
        ModelCard {
            name: self.shared.name.clone(),
            site: Site::Local,
            context: Some(WINDOW),
        }
    }

    fn version(&self) -> String {
        let mut version = format!("{}-", self.shared.name);
        for byte in &self.shared.digest[..6] {
            let _ = write!(version, "{byte:02x}");
        }
        version + "-" + NUMERICS
    }

    fn dimensions(&self) -> usize {
        DIMENSIONS
    }

    async fn embed(&self, texts: Vec<String>, kind: EmbedAs) -> Result<Vec<Vec<f32>>> {
        let prefix = match kind {
            EmbedAs::Query => "query: ",
            EmbedAs::Passage => "passage: ",
        };
        self.load().await?;
        let shared = Arc::clone(&self.shared);
        let mut tokens = blocking(move || {
            let network = shared.network.get();
            let tokenizer = network.map(|network| &network.tokenizer);
            let tokenizer = tokenizer.ok_or_else(|| Error::internal("no tokenizer"))?;
            Ok(texts
                .iter()
                .map(|text| tokenizer.encode(&format!("{prefix}{text}"), WINDOW))
                .collect::<Vec<_>>())
        })
        .await?;
        let work = batches(&tokens).into_iter().map(|batch| {
            let texts = tokens[batch].iter_mut().map(std::mem::take).collect();
            Arc::clone(&self.shared).batch(texts, kind)
        });
        let work: Vec<_> = work.collect();
        let vectors: Vec<_> = stream::iter(work)
            .buffered(self.shared.threads)
            .try_collect()
            .await?;
        Ok(vectors.into_iter().flatten().collect())
    }
}
