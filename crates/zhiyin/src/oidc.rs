//! The brand's own provider of sign-in, as a file says it (docs/sign-in.md).

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use zhiyin_engine::sign_in::oidc::Oidc;
use zhiyin_reach::client::Client;
use zhiyin_reach::oidc::Provider;
use zhiyin_reach::oidc::settings::Settings;
use zhiyin_reach::settings::Clock;

use crate::channel::secret;

/// The provider of a file; nothing, where no file is named. Where nobody comes in but by it, people have to reach this home.
pub fn oidc(file: Option<&Path>, public_url: Option<&str>) -> Result<Option<Oidc>> {
    let Some(file) = file else { return Ok(None) };
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let at = |error: String| anyhow!("{}: {error}", file.display());
    let settings = Settings::parse(&text, secret).map_err(|problem| at(problem.to_string()))?;
    if settings.required && public_url.is_none() {
        return Err(at(
            "required: nobody could sign in: --public-url says where the provider leads people back to"
                .to_owned(),
        ));
    }
    let clock: Clock = Arc::new(|| zhiyin_engine::clock::wall().0.div_euclid(1_000));
    Oidc::of(Provider::new(settings, Client::new(), clock)).map(Some).map_err(at)
}
