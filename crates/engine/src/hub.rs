//! Finds a model by folder or by its name on a hub, and fetches it if need be.
//!
//! A name's files go into a folder of the cache, each under a temporary name until complete; an
//! interrupted download goes on where it stopped. Once complete, the network isn't asked again. Only
//! plain data is fetched: configuration, tokenizer and safetensors, never code or pickles.

use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ::http::{HeaderValue, Response, StatusCode, header};
use atoma_http::client::{AnswerLimits, Body, Pieces, get};
use atoma_runtime::files;
use serde::Deserialize;

use crate::fingerprint::{digest, new_state};
use crate::{HttpSetupError, ShardsError, http::Http, shards};

/// The files that the engine reads, beside the weights.
const SMALL_FILES: [&str; 12] = [
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "chat_template.jinja",
    "chat_template.json",
    "additional_chat_templates/tool_use.jinja",
    shards::INDEX,
    // of models that embed
    "modules.json",
    "1_Pooling/config.json",
    "sentence_bert_config.json",
    "config_sentence_transformers.json",
];
/// Written last; its presence says that all the rest is there.
const COMPLETE: &str = ".complete";
/// Hubs send large files from elsewhere; more hops than this go in circles.
const MAX_REDIRECTS: usize = 5;
/// Largest list of a model's files.
const MAX_LIST_BYTES: usize = 4 << 20;
/// A server that is silent for longer is gone.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(60);

/// Where and how to look for models.
#[derive(Clone)]
pub struct HubOptions {
    /// Base URL of the hub.
    pub endpoint: String,
    /// Branch, tag or commit.
    pub revision: String,
    /// Access token for gated models.
    pub token: Option<String>,
    /// Where models are kept.
    pub cache: PathBuf,
}

impl HubOptions {
    /// The public hub, its main branch, nothing secret.
    pub fn new(cache: impl Into<PathBuf>) -> Self {
        Self {
            endpoint: "https://huggingface.co".to_owned(),
            revision: "main".to_owned(),
            token: None,
            cache: cache.into(),
        }
    }
}

impl std::fmt::Debug for HubOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HubOptions")
            .field("endpoint", &self.endpoint)
            .field("revision", &self.revision)
            .field("token", &self.token.as_ref().map(|_| "elided"))
            .field("cache", &self.cache)
            .finish()
    }
}

/// How far a download is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// The file being fetched.
    pub file: String,
    /// Bytes of it that are here.
    pub done: u64,
    /// Its size, if the hub says.
    pub total: Option<u64>,
}

/// Why a model can't be had, and what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HubError {
    /// Neither a folder nor a name.
    #[error("{0} is neither a folder with a config.json nor a name like owner/model")]
    BadName(String),
    /// The hub can't be reached, or breaks off.
    #[error(
        "cannot fetch from {endpoint} (without a network, name a folder with the model's files)"
    )]
    Network {
        /// The URL of the hub that was asked.
        endpoint: String,
        /// What went wrong on the way.
        source: atoma_http::client::Error,
    },
    /// The hub answers with a status that says nothing about the model.
    #[error("{endpoint} answers with status {status}: try again later")]
    Status {
        /// The URL of the hub that was asked.
        endpoint: String,
        /// The HTTP status.
        status: StatusCode,
    },
    /// A file ended before its end.
    #[error("{file} broke off after {done} bytes: the next try goes on from there")]
    BrokeOff {
        /// The file's name in the model.
        file: String,
        /// Bytes of it that are here.
        done: u64,
    },
    /// The hub has no such model or revision.
    #[error("the hub has no model {0}; check the name and the revision")]
    NotFound(String),
    /// The model is gated.
    #[error("the hub doesn't let us read {0}; accept its licence there and set an access token")]
    Forbidden(String),
    /// The model isn't stored in a way that the engine reads.
    #[error("{name} has no {missing}; only Hugging Face folders with safetensors can be read")]
    Unsuitable {
        /// The model that was asked for.
        name: String,
        /// The kind of file that it lacks.
        missing: &'static str,
    },
    /// The hub's list of files isn't one.
    #[error("the hub's list of the model's files can't be read")]
    List(#[source] serde_json::Error),
    /// It can't be told which files have the weights.
    #[error("the model's weights can't be found")]
    Weights(#[source] ShardsError),
    /// The hub sends us on and on, or nowhere.
    #[error("the hub redirects {0}")]
    Redirects(&'static str),
    /// Connections can't be made at all: TLS fails, or the token isn't printable.
    #[error("cannot connect to a hub")]
    Setup(#[source] HttpSetupError),
    /// A file can't be written.
    #[error("can't write {path}")]
    Io {
        /// Where the file is.
        path: PathBuf,
        /// The system's own error.
        source: std::io::Error,
    },
}

#[derive(Deserialize)]
struct Listing {
    /// The commit that the revision stands for.
    sha: String,
    siblings: Vec<Sibling>,
}

#[derive(Deserialize)]
struct Sibling {
    rfilename: String,
}

/// The folder of a model: `name` itself if it is one, or else the model of that name, fetched
/// unless it is in the cache.
///
/// # Errors
/// If the hub cannot be reached or has no such model, or the folder cannot be written.
pub async fn resolve(
    name: &str,
    options: &HubOptions,
    progress: impl Fn(Progress) + Send + Sync,
) -> Result<PathBuf, HubError> {
    let path = Path::new(name);
    if path.join("config.json").is_file() {
        return Ok(path.to_owned());
    }
    if !is_name(name) {
        return Err(HubError::BadName(name.to_owned()));
    }
    let folder = options
        .cache
        .join(format!("{}@{}", name.replace('/', "--"), options.revision));
    if folder.join(COMPLETE).is_file() {
        return Ok(folder);
    }
    let hub = Hub::new(name, options)?;
    std::fs::create_dir_all(&folder).map_err(|source| HubError::Io {
        path: folder.clone(),
        source,
    })?;
    let listing = hub.list().await?;
    // Small files first, so that mistakes show before gigabytes have come.
    for file in small_files(name, &listing)? {
        hub.fetch(&listing.sha, file, &folder, &progress).await?;
    }
    let index = std::fs::read(folder.join(shards::INDEX)).ok();
    for file in weights(name, &listing, index.as_deref())? {
        hub.fetch(&listing.sha, &file, &folder, &progress).await?;
    }
    write(&folder.join(COMPLETE), listing.sha.as_bytes())?;
    Ok(folder)
}

/// Names a hub's repository at a commit, for models whose weights only a server has.
const REPOSITORY_TAG: &[u8] = b"atoma/engine/repository/v1";

/// The revision of a model that isn't here: BLAKE2b-256 over a tag, its name and the commit that the
/// hub says. No weights are fetched.
///
/// # Errors
/// If the hub cannot be reached or has no such model.
pub async fn revision(name: &str, options: &HubOptions) -> Result<[u8; 32], HubError> {
    if !is_name(name) {
        return Err(HubError::BadName(name.to_owned()));
    }
    let listing = Hub::new(name, options)?.list().await?;
    let mut state = new_state();
    state
        .update(REPOSITORY_TAG)
        .update(name.as_bytes())
        .update(&[0])
        .update(listing.sha.as_bytes());
    Ok(digest(&state))
}

/// `owner/model`, of letters, digits, dots, dashes and underscores.
fn is_name(name: &str) -> bool {
    let is_part = |part: &str| {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        !part.is_empty() && part.len() <= 96 && !part.starts_with('.') && part.chars().all(allowed)
    };
    name.split_once('/')
        .is_some_and(|(owner, model)| is_part(owner) && is_part(model))
}

/// The files to fetch beside the weights. Other names with a slash would lead out of the folder.
fn small_files<'a>(name: &str, listing: &'a Listing) -> Result<Vec<&'a str>, HubError> {
    let all = listing.siblings.iter().map(|s| s.rfilename.as_str());
    let files: Vec<&str> = all.filter(|f| SMALL_FILES.contains(f)).collect();
    for missing in ["config.json", "tokenizer.json"] {
        if !files.contains(&missing) {
            return Err(HubError::Unsuitable {
                name: name.to_owned(),
                missing,
            });
        }
    }
    Ok(files)
}

/// The files with the weights, and no others: some repositories have them twice.
fn weights(name: &str, listing: &Listing, index: Option<&[u8]>) -> Result<Vec<String>, HubError> {
    let plain = listing.siblings.iter().map(|s| s.rfilename.clone());
    let plain: Vec<String> = plain.filter(|f| !f.contains(['/', '\\'])).collect();
    let chosen = shards::choose(&plain, index);
    let chosen = chosen.map_err(HubError::Weights)?;
    if chosen.is_empty() {
        return Err(HubError::Unsuitable {
            name: name.to_owned(),
            missing: "safetensors",
        });
    }
    Ok(chosen)
}

struct Hub<'a> {
    name: &'a str,
    options: &'a HubOptions,
    http: Http,
}

impl<'a> Hub<'a> {
    fn new(name: &'a str, options: &'a HubOptions) -> Result<Self, HubError> {
        let http = Http::new(options.token.as_deref());
        let http = http.map_err(HubError::Setup)?;
        Ok(Self {
            name,
            options,
            http,
        })
    }

    fn network(&self, source: atoma_http::client::Error) -> HubError {
        HubError::Network {
            endpoint: self.options.endpoint.clone(),
            source,
        }
    }

    async fn list(&self) -> Result<Listing, HubError> {
        let HubOptions {
            endpoint, revision, ..
        } = self.options;
        let url = format!("{endpoint}/api/models/{}/revision/{revision}", self.name);
        let response = self.get(url, 0).await?;
        let limits = AnswerLimits::within(SILENCE_TIMEOUT, MAX_LIST_BYTES);
        let body = response.into_body().whole(limits).await;
        let body = body.map_err(|e| self.network(e))?;
        serde_json::from_slice(&body).map_err(HubError::List)
    }

    /// Follows redirects. The token goes to the hub only, never to where it redirects.
    async fn get(&self, url: String, from: u64) -> Result<Response<Body>, HubError> {
        let mut url = url;
        for _ in 0..=MAX_REDIRECTS {
            let mut request = get(&url);
            if url.starts_with(&format!("{}/", self.options.endpoint)) {
                self.http.authorize(&mut request);
            }
            if let (1.., Ok(range)) = (from, HeaderValue::from_str(&format!("bytes={from}-"))) {
                request.headers_mut().insert(header::RANGE, range);
            }
            let reply = tokio::time::timeout(SILENCE_TIMEOUT, self.http.send(request)).await;
            let response = match reply {
                Ok(response) => response.map_err(|e| self.network(e))?,
                Err(_) => {
                    let silent = atoma_http::client::Error::NoAnswer(SILENCE_TIMEOUT);
                    return Err(self.network(silent));
                }
            };
            match response.status() {
                status if status.is_success() => return Ok(response),
                status if status.is_redirection() => url = self.target(&url, &response)?,
                StatusCode::NOT_FOUND => return Err(HubError::NotFound(self.name.to_owned())),
                StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                    return Err(HubError::Forbidden(self.name.to_owned()));
                }
                status => {
                    return Err(HubError::Status {
                        endpoint: self.options.endpoint.clone(),
                        status,
                    });
                }
            }
        }
        Err(HubError::Redirects("in circles"))
    }

    fn target(&self, url: &str, response: &Response<Body>) -> Result<String, HubError> {
        let location = response
            .headers()
            .get(header::LOCATION)
            .and_then(|l| l.to_str().ok());
        let location = location.ok_or(HubError::Redirects("nowhere"))?;
        if location.starts_with("https://") || location.starts_with("http://") {
            return Ok(location.to_owned());
        }
        // A path on the same host.
        let host_end = url
            .find("://")
            .and_then(|at| url[at + 3..].find('/').map(|s| at + 3 + s));
        Ok(format!(
            "{}{location}",
            &url[..host_end.unwrap_or(url.len())]
        ))
    }

    /// Fetches one file, going on where an earlier try stopped.
    async fn fetch(
        &self,
        commit: &str,
        file: &str,
        folder: &Path,
        progress: &(impl Fn(Progress) + Send + Sync),
    ) -> Result<(), HubError> {
        let target = folder.join(file);
        if target.is_file() {
            return Ok(());
        }
        if let Some(parent) = target.parent() {
            let path = parent.to_owned();
            std::fs::create_dir_all(parent).map_err(|source| HubError::Io { path, source })?;
        }
        // The commit is in the name: parts of different commits don't mix.
        let part = folder.join(format!("{file}.{commit}.part"));
        let io = |source| HubError::Io {
            path: part.clone(),
            source,
        };
        let mut out = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(&part)
            .map_err(io)?;
        let mut done = out.seek(SeekFrom::End(0)).map_err(io)?;
        let url = format!(
            "{}/{}/resolve/{commit}/{file}",
            self.options.endpoint, self.name
        );
        let response = self.get(url, done).await?;
        if response.status() != StatusCode::PARTIAL_CONTENT && done > 0 {
            out.set_len(0).map_err(io)?;
            done = 0;
        }
        let length = response.headers().get(header::CONTENT_LENGTH);
        let length = length
            .and_then(|l| l.to_str().ok())
            .and_then(|l| l.parse::<u64>().ok());
        let total = length.map(|length| done + length);
        let mut pieces = Pieces::new(response.into_body(), SILENCE_TIMEOUT);
        loop {
            progress(Progress {
                file: file.to_owned(),
                done,
                total,
            });
            let piece = pieces.next().await.map_err(|e| self.network(e))?;
            let Some(data) = piece else { break };
            out.write_all(&data).map_err(io)?;
            done += data.len() as u64;
        }
        if total.is_some_and(|total| total != done) {
            return Err(HubError::BrokeOff {
                file: file.to_owned(),
                done,
            });
        }
        out.sync_all().map_err(io)?;
        files::rename(&part, &target).map_err(io)
    }
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), HubError> {
    std::fs::write(path, bytes).map_err(|source| HubError::Io {
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_owner_and_model() {
        assert!(is_name("Qwen/Qwen3-0.6B") && is_name("a/b_c.d-e"));
        for bad in [
            "", "a", "a/", "/b", "a/b/c", "../x", "a/..", "a/b c", "a/b?x",
        ] {
            assert!(!is_name(bad), "{bad}");
        }
    }

    #[test]
    fn only_plain_data_is_wanted() {
        let listing = |files: &[&str]| Listing {
            sha: "c".into(),
            siblings: files
                .iter()
                .map(|f| Sibling {
                    rfilename: (*f).into(),
                })
                .collect(),
        };
        let all = listing(&[
            "model.safetensors",
            "config.json",
            "x.py",
            "pytorch_model.bin",
            "tokenizer.json",
            "consolidated.safetensors",
            "onnx/model.safetensors",
            "../additional_chat_templates/tool_use.jinja",
        ]);
        let files = small_files("m", &all).unwrap();
        assert_eq!(files, ["config.json", "tokenizer.json"]);
        assert_eq!(weights("m", &all, None).unwrap(), ["model.safetensors"]);
        let bare = listing(&["config.json", "tokenizer.json", "onnx/model.safetensors"]);
        assert!(weights("m", &bare, None).is_err());
        assert!(small_files("m", &listing(&["model.safetensors"])).is_err());
    }
}
