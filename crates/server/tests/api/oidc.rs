//! Signing in by the brand's provider, against one that does what providers do: whom it lets in, and what is not believed.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
    RsaPublicKeyComponents,
};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{Barrier, Notify};
use tokio::task::JoinHandle;
use zhiyin_engine::clock;
use zhiyin_engine::sign_in::oidc::Oidc;
use zhiyin_model::role::Role;
use zhiyin_reach::client::Client;
use zhiyin_reach::oidc::settings::Settings;
use zhiyin_reach::oidc::{Beginning, Provider};

use crate::home::{Answer, Home};

const KEY: &[u8] = include_bytes!("oidc/provider.der");
const SECRET: &str = "a-secret/of=ours:1";

/// What a code is good for: the token, and whoever shows the verifier to this challenge.
struct Good {
    token: String,
    challenge: String,
}

/// A provider.
struct Sim {
    issuer: String,
    rsa: RsaKeyPair,
    ec: EcdsaKeyPair,
    /// Another that it published under the name of that one before.
    ec_before: EcdsaKeyPair,
    /// Which keys it publishes.
    published: Mutex<Vec<&'static str>>,
    codes: Mutex<BTreeMap<String, Good>>,
    /// How often keys were asked for.
    keys_asked: AtomicI64,
    /// Whether it answers nothing but that it cannot, and how often it was asked what it is.
    down: AtomicBool,
    asked: AtomicI64,
    /// Whether it never tells its keys, and who waits for that it was asked for them.
    silent: AtomicBool,
    keys_wanted: Notify,
    /// How many have to bring their code before anybody gets a token.
    together: Mutex<Option<Arc<Barrier>>>,
    /// By how much our clock goes before the wall's, in milliseconds.
    ahead: Arc<AtomicI64>,
    served: Mutex<Option<JoinHandle<()>>>,
}

impl Sim {
    async fn new() -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}/realms/shop", listener.local_addr().unwrap());
        let random = SystemRandom::new();
        let ec = || {
            let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, made.as_ref(), &random).unwrap()
        };
        let sim = Arc::new(Self {
            issuer,
            rsa: RsaKeyPair::from_pkcs8(KEY).unwrap(),
            ec: ec(),
            ec_before: ec(),
            published: Mutex::new(vec!["rsa-1"]),
            codes: Mutex::default(),
            keys_asked: AtomicI64::new(0),
            down: AtomicBool::new(false),
            asked: AtomicI64::new(0),
            silent: AtomicBool::new(false),
            keys_wanted: Notify::new(),
            together: Mutex::default(),
            ahead: Arc::default(),
            served: Mutex::default(),
        });
        let routes = Router::new()
            .route("/realms/shop/.well-known/openid-configuration", get(description))
            .route("/realms/shop/keys", get(keys))
            .route("/realms/shop/token", post(token))
            .with_state(Arc::clone(&sim));
        let served = tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        *sim.served.lock().unwrap() = Some(served);
        sim
    }

    fn end(&self) {
        if let Some(served) = self.served.lock().unwrap().take() {
            served.abort();
        }
    }

    /// Lets people of a home sign in by it, in these terms beside the usual ones.
    fn opens(&self, home: &Home, more: &Value) {
        home.api.signs_in_by(Oidc::of(self.provider(more)).unwrap());
    }

    fn provider(&self, more: &Value) -> Provider {
        let mut said = json!({
            "issuer": self.issuer, "client_id": "zhiyin", "client_secret_env": "SECRET", "allow_private": true,
        });
        said.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let settings = Settings::parse(&said.to_string(), |_| Ok(SECRET.as_bytes().to_vec())).unwrap();
        let ahead = Arc::clone(&self.ahead);
        let clock = Arc::new(move || clock::wall().0 / 1_000 + ahead.load(Ordering::Relaxed));
        Provider::new(settings, Client::new(), clock)
    }

    fn signed(&self, head: &Value, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let said = format!("{}.{}", part(head), part(claims));
        let random = SystemRandom::new();
        let signature = match head["alg"].as_str().unwrap() {
            "ES256" => self.ec.sign(&random, said.as_bytes()).unwrap().as_ref().to_vec(),
            "RS256" => {
                let mut signature = vec![0; self.rsa.public().modulus_len()];
                self.rsa.sign(&RSA_PKCS1_SHA256, &random, said.as_bytes(), &mut signature).unwrap();
                signature
            }
            "HS256" => {
                let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, SECRET.as_bytes());
                ring::hmac::sign(&key, said.as_bytes()).as_ref().to_vec()
            }
            _ => Vec::new(),
        };
        format!("{said}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

async fn description(State(sim): State<Arc<Sim>>) -> axum::response::Response {
    sim.asked.fetch_add(1, Ordering::Relaxed);
    if sim.down.load(Ordering::Relaxed) {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let issuer = &sim.issuer;
    Json(json!({
        "issuer": issuer, "authorization_endpoint": format!("{issuer}/auth?prompt=login"),
        "token_endpoint": format!("{issuer}/token"), "jwks_uri": format!("{issuer}/keys"),
        "token_endpoint_auth_methods_supported": ["client_secret_basic"], "response_types_supported": ["code"],
    }))
    .into_response()
}

async fn keys(State(sim): State<Arc<Sim>>) -> Json<Value> {
    sim.keys_asked.fetch_add(1, Ordering::Relaxed);
    if sim.silent.load(Ordering::Relaxed) {
        sim.keys_wanted.notify_one();
        std::future::pending::<()>().await;
    }
    let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let rsa: RsaPublicKeyComponents<Vec<u8>> = sim.rsa.public().into();
    let published = sim.published.lock().unwrap().clone();
    let before = published.contains(&"ec-2 before");
    let point = if before { &sim.ec_before } else { &sim.ec }.public_key().as_ref();
    let all = [
        json!({"kty": "RSA", "kid": "rsa-1", "use": "sig", "alg": "RS256", "n": text(&rsa.n), "e": text(&rsa.e)}),
        json!({"kty": "EC", "kid": "ec-2", "use": "sig", "crv": "P-256", "x": text(&point[1..33]), "y": text(&point[33..])}),
    ];
    let is_out = |key: &&Value| {
        let kid = key["kid"].as_str().unwrap();
        published.contains(&kid) || (before && kid == "ec-2")
    };
    Json(json!({"keys": all.iter().filter(is_out).collect::<Vec<_>>()}))
}

async fn token(State(sim): State<Arc<Sim>>, headers: HeaderMap, body: String) -> axum::response::Response {
    let said: BTreeMap<String, String> = form_urlencoded::parse(body.as_bytes())
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    let refused = |why: &str| (StatusCode::BAD_REQUEST, Json(json!({"error": why}))).into_response();
    let shown = format!("Basic {}", STANDARD.encode("zhiyin:a-secret%2Fof%3Dours%3A1"));
    if headers.get("authorization").unwrap().to_str().unwrap() != shown {
        return refused("invalid_client");
    }
    // A code is good once, for whoever began, who shows what only they know.
    let together = sim.together.lock().unwrap().clone();
    if let Some(together) = together {
        together.wait().await;
    }
    let Some(good) = sim.codes.lock().unwrap().remove(&said["code"]) else { return refused("invalid_grant") };
    let shown = ring::digest::digest(&ring::digest::SHA256, said["code_verifier"].as_bytes());
    let is_theirs = URL_SAFE_NO_PAD.encode(shown) == good.challenge
        && said["redirect_uri"].ends_with("/sign-in/oidc/back");
    if !is_theirs || said["grant_type"] != "authorization_code" {
        return refused("invalid_grant");
    }
    Json(json!({"access_token": "x", "token_type": "Bearer", "id_token": good.token})).into_response()
}

/// Asks as a browser does that stands on this machine.
async fn goes(home: &Home, path: &str, cookie: &str) -> Answer {
    let head = format!(
        "GET {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncookie: {cookie}\r\n\r\n",
        home.address
    );
    home.raw(head.as_bytes()).await
}

fn cookies(answer: &Answer) -> Vec<String> {
    let lines = answer.head.lines().filter_map(|line| line.split_once(": "));
    let set = lines.filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie"));
    let kept = set.map(|(_, value)| value.to_owned()).filter(|value| !value.contains("Max-Age=0"));
    kept.map(|value| value.split(';').next().unwrap().to_owned()).collect()
}

/// Somebody on their way: what their browser was told.
struct Away {
    cookie: String,
    said: BTreeMap<String, String>,
}

async fn begins(home: &Home, to: &str) -> Away {
    let to: String = form_urlencoded::byte_serialize(to.as_bytes()).collect();
    let answer = goes(home, &format!("/sign-in/oidc/start?to={to}"), "").await;
    assert_eq!(answer.status, 302, "{}", answer.head);
    let location = answer.header("location").unwrap().to_owned();
    let query = location.split_once('?').unwrap().1;
    let said =
        form_urlencoded::parse(query.as_bytes()).map(|(name, value)| (name.into_owned(), value.into_owned()));
    Away { cookie: cookies(&answer).join("; "), said: said.collect() }
}

/// The provider's word about Ann, with something else than usual in it.
fn claims(sim: &Sim, away: &Away, more: &Value) -> Value {
    let now = (clock::wall().0 / 1_000 + sim.ahead.load(Ordering::Relaxed)) / 1_000;
    let mut all = json!({
        "iss": sim.issuer, "aud": "zhiyin", "sub": "u-1", "nonce": away.said["nonce"], "iat": now, "exp": now + 300,
        "email": "Ann@Shop.example", "email_verified": true,
    });
    for (name, value) in more.as_object().unwrap() {
        if value.is_null() {
            all.as_object_mut().unwrap().remove(name);
        } else {
            all[name] = value.clone();
        }
    }
    all
}

/// Comes back with a code that is good for this token.
async fn comes_back(sim: &Sim, home: &Home, away: &Away, token: String) -> Answer {
    let code = format!("code of {}", away.said["state"]);
    let good = Good { token, challenge: away.said["code_challenge"].clone() };
    sim.codes.lock().unwrap().insert(code.clone(), good);
    let said: String = form_urlencoded::Serializer::new(String::new())
        .append_pair("code", &code)
        .append_pair("state", &away.said["state"])
        .finish();
    goes(home, &format!("/sign-in/oidc/back?{said}"), &away.cookie).await
}

/// All of it, from the door to where they end up, and the session's cookie.
async fn signs_in(sim: &Sim, home: &Home, more: &Value) -> (String, Option<String>) {
    let away = begins(home, "/console/").await;
    let token = sim.signed(&json!({"alg": "RS256", "kid": "rsa-1"}), &claims(sim, &away, more));
    let answer = comes_back(sim, home, &away, token).await;
    assert_eq!(answer.status, 302, "{}", answer.head);
    (answer.header("location").unwrap().to_owned(), cookies(&answer).pop())
}

async fn adds(home: &Home, person: Value) -> Value {
    let made = home.as_key(&home.owner, "POST", "/v1/people", &person).await;
    assert_eq!(made.status, 200, "{}", made.text());
    made.json()
}

fn refused(code: &str) -> (String, Option<String>) {
    (format!("/console/?refused={code}"), None)
}

#[tokio::test]
async fn somebody_who_is_known_comes_in_once_and_goes_on_to_their_page() {
    let (home, sim) = (Home::new().await, Sim::new().await);
    let ways = async || goes(&home, "/v1/session/ways", "").await.json();
    assert_eq!(ways().await, json!({"password": true, "oidc": null}));
    assert_eq!(
        goes(&home, "/sign-in/oidc/start", "").await.header("location"),
        Some("/console/?refused=oidc_off")
    );
    sim.opens(&home, &json!({"name": {"zh": "飞书", "en": "Lark"}, "domains": ["shop.example"]}));
    let oidc = json!({"name": {"zh": "飞书", "en": "Lark"}, "start": "/sign-in/oidc/start"});
    assert_eq!(ways().await, json!({"password": true, "oidc": oidc}));
    adds(&home, json!({"name": "ann@shop.example", "role": "marketer"})).await;

    let away = begins(&home, "/console/members?tier=gold").await;
    let said = |name: &str| away.said[name].as_str();
    assert_eq!(
        (said("response_type"), said("client_id"), said("scope")),
        ("code", "zhiyin", "openid email profile")
    );
    assert_eq!((said("code_challenge_method"), said("prompt")), ("S256", "login"));
    assert_eq!(said("redirect_uri"), format!("http://{}/sign-in/oidc/back", home.address));
    let token = sim.signed(&json!({"alg": "RS256", "kid": "rsa-1"}), &claims(&sim, &away, &json!({})));
    let came = comes_back(&sim, &home, &away, token.clone()).await;
    assert_eq!(
        (came.status, came.header("location")),
        (302, Some("/console/members?tier=gold")),
        "{}",
        came.head
    );
    let session = cookies(&came).pop().unwrap();
    assert!(session.starts_with("zhiyin="), "{session}");
    let shown = goes(&home, "/v1/session", &session).await.json();
    assert_eq!(
        (&shown["person"]["name"], &shown["roles"]),
        (&json!("ann@shop.example"), &json!(["marketer"]))
    );
    // The same once more, with a code that the provider would take: it ended.
    let again = comes_back(&sim, &home, &away, token).await;
    assert_eq!(again.header("location"), Some("/console/?refused=oidc_state"));
    assert_eq!(cookies(&again), Vec::<String>::new());
    let people = home.as_key(&home.owner, "GET", "/v1/people", &Value::Null).await.json();
    assert_eq!((&people["items"][0]["oidc"], &people["items"][0]["password"]), (&json!(true), &json!(false)));
    let log = home.as_key(&home.owner, "GET", "/v1/audit?limit=200", &Value::Null).await.text();
    assert!(log.contains(r#""with":"oidc""#) || log.contains(r#"\"with\":\"oidc\""#), "{log}");
    // From elsewhere nobody is led anywhere.
    let away = begins(&home, "https://evil.example/console/").await;
    let token = sim.signed(&json!({"alg": "RS256", "kid": "rsa-1"}), &claims(&sim, &away, &json!({})));
    assert_eq!(comes_back(&sim, &home, &away, token).await.header("location"), Some("/console/"));
    sim.end();
    home.end().await;
}

#[tokio::test]
async fn what_is_not_the_providers_word_about_this_sign_in_lets_nobody_in() {
    let (home, sim) = (Home::new().await, Sim::new().await);
    sim.opens(&home, &json!({"domains": ["shop.example"]}));
    adds(&home, json!({"name": "ann@shop.example", "role": "owner", "password": "kestrel over oak"})).await;
    let now = clock::wall().0 / 1_000_000;
    let rsa = json!({"alg": "RS256", "kid": "rsa-1"});
    let rows = [
        ("alg none", json!({"alg": "none"}), json!({}), "oidc_token"),
        ("alg none with a key", json!({"alg": "none", "kid": "rsa-1"}), json!({}), "oidc_token"),
        ("our own secret", json!({"alg": "HS256", "kid": "rsa-1"}), json!({}), "oidc_token"),
        ("another's key", json!({"alg": "ES256", "kid": "rsa-1"}), json!({}), "oidc_token"),
        ("a key of nobody", json!({"alg": "RS256", "kid": "rsa-9"}), json!({}), "oidc_token"),
        ("to be understood", json!({"alg": "RS256", "kid": "rsa-1", "crit": ["x"]}), json!({}), "oidc_token"),
        ("another issuer", rsa.clone(), json!({"iss": "http://127.0.0.1:1/realms/shop"}), "oidc_token"),
        ("another client", rsa.clone(), json!({"aud": "another"}), "oidc_token"),
        ("several clients", rsa.clone(), json!({"aud": ["zhiyin", "another"]}), "oidc_token"),
        ("given to another", rsa.clone(), json!({"aud": ["zhiyin", "b"], "azp": "b"}), "oidc_token"),
        ("another sign-in", rsa.clone(), json!({"nonce": "x"}), "oidc_token"),
        ("no nonce", rsa.clone(), json!({"nonce": null}), "oidc_token"),
        ("over", rsa.clone(), json!({"exp": now - 61}), "oidc_token"),
        ("without an end", rsa.clone(), json!({"exp": null}), "oidc_token"),
        ("made long ago", rsa.clone(), json!({"iat": now - 3_600}), "oidc_token"),
        ("still to come", rsa.clone(), json!({"nbf": now + 3_600}), "oidc_token"),
        ("about nobody", rsa.clone(), json!({"sub": ""}), "oidc_token"),
        ("an address that nobody showed", rsa.clone(), json!({"email_verified": false}), "oidc_email"),
        ("no word of that", rsa.clone(), json!({"email_verified": null}), "oidc_email"),
        ("no address", rsa.clone(), json!({"email": null}), "oidc_email"),
        ("another domain", rsa.clone(), json!({"email": "ann@evil.example"}), "oidc_domain"),
        ("a domain that ends so", rsa.clone(), json!({"email": "ann@notshop.example"}), "oidc_domain"),
        ("somebody else", rsa.clone(), json!({"email": "bob@shop.example"}), "oidc_unknown_person"),
    ];
    for (what, head, more, code) in rows {
        let away = begins(&home, "/console/").await;
        let token = sim.signed(&head, &claims(&sim, &away, &more));
        let answer = comes_back(&sim, &home, &away, token).await;
        let came = (answer.header("location").unwrap().to_owned(), cookies(&answer).pop());
        assert_eq!(came, refused(code), "{what}");
    }
    // A word of the provider's, and one letter of it changed.
    let away = begins(&home, "/console/").await;
    let token = sim.signed(&rsa, &claims(&sim, &away, &json!({})));
    let forged = claims(&sim, &away, &json!({"email": "bob@shop.example"}));
    let parts: Vec<&str> = token.split('.').collect();
    let forged = format!("{}.{}.{}", parts[0], URL_SAFE_NO_PAD.encode(forged.to_string()), parts[2]);
    let answer = comes_back(&sim, &home, &away, forged).await;
    assert_eq!(answer.header("location"), Some("/console/?refused=oidc_token"));
    sim.end();
    home.end().await;
}

#[tokio::test]
async fn only_the_browser_that_began_ends_it() {
    let (home, sim) = (Home::new().await, Sim::new().await);
    sim.opens(&home, &json!({}));
    adds(&home, json!({"name": "ann@shop.example", "role": "owner"})).await;
    let (ann, eve) = (begins(&home, "/console/").await, begins(&home, "/console/").await);
    let token =
        |away: &Away| sim.signed(&json!({"alg": "RS256", "kid": "rsa-1"}), &claims(&sim, away, &json!({})));
    // Eve's link, opened in Ann's browser, makes Ann nobody: neither without a cookie nor with Ann's own.
    for cookie in ["", ann.cookie.as_str(), "zhiyin-oidc=x.1.Lw"] {
        let theirs = Away { cookie: cookie.to_owned(), said: eve.said.clone() };
        let answer = comes_back(&sim, &home, &theirs, token(&eve)).await;
        assert_eq!(answer.header("location"), Some("/console/?refused=oidc_state"), "{cookie}");
        assert_eq!(cookies(&answer), Vec::<String>::new());
    }
    // Nor does a provider that says no, or one that never gave this code.
    let path = format!("/sign-in/oidc/back?error=access_denied&state={}", ann.said["state"]);
    assert_eq!(
        goes(&home, &path, &ann.cookie).await.header("location"),
        Some("/console/?refused=oidc_denied")
    );
    let path = format!("/sign-in/oidc/back?code=guessed&state={}", ann.said["state"]);
    assert_eq!(
        goes(&home, &path, &ann.cookie).await.header("location"),
        Some("/console/?refused=oidc_denied")
    );
    assert_eq!(
        goes(&home, "/sign-in/oidc/back", &ann.cookie).await.header("location"),
        Some("/console/?refused=oidc_state")
    );
    let answer = comes_back(&sim, &home, &ann, token(&ann)).await;
    assert_eq!(answer.header("location"), Some("/console/"), "who began ends it after all");
    sim.end();
    home.end().await;
}

#[tokio::test]
async fn a_key_that_the_provider_has_since_a_moment_is_asked_for_and_not_again_and_again() {
    let (home, sim) = (Home::new().await, Sim::new().await);
    sim.opens(&home, &json!({}));
    adds(&home, json!({"name": "ann@shop.example", "role": "owner"})).await;
    assert_eq!(signs_in(&sim, &home, &json!({})).await.0, "/console/");
    assert_eq!(signs_in(&sim, &home, &json!({})).await.0, "/console/");
    assert_eq!(sim.keys_asked.load(Ordering::Relaxed), 1, "keys are kept");
    // It signs by another key from now on.
    *sim.published.lock().unwrap() = vec!["ec-2"];
    let by_other = async || {
        let away = begins(&home, "/console/").await;
        let token = sim.signed(&json!({"alg": "ES256", "kid": "ec-2"}), &claims(&sim, &away, &json!({})));
        comes_back(&sim, &home, &away, token).await.header("location").unwrap().to_owned()
    };
    assert_eq!(by_other().await, "/console/?refused=oidc_token", "keys were asked for a moment ago");
    assert_eq!(sim.keys_asked.load(Ordering::Relaxed), 1);
    sim.ahead.store(11_000, Ordering::Relaxed);
    assert_eq!(by_other().await, "/console/");
    assert_eq!(sim.keys_asked.load(Ordering::Relaxed), 2);
    assert_eq!(
        signs_in(&sim, &home, &json!({})).await,
        refused("oidc_token"),
        "the old one is none any more"
    );
    sim.end();
    home.end().await;
}

#[tokio::test]
async fn a_key_under_the_name_of_another_is_asked_for_and_none_is_believed_for_long() {
    let (home, sim) = (Home::new().await, Sim::new().await);
    sim.opens(&home, &json!({}));
    adds(&home, json!({"name": "ann@shop.example", "role": "owner"})).await;
    let by_ec = async || {
        let away = begins(&home, "/console/").await;
        let token = sim.signed(&json!({"alg": "ES256", "kid": "ec-2"}), &claims(&sim, &away, &json!({})));
        comes_back(&sim, &home, &away, token).await.header("location").unwrap().to_owned()
    };
    *sim.published.lock().unwrap() = vec!["ec-2 before", "rsa-1"];
    assert_eq!(by_ec().await, "/console/?refused=oidc_token");
    *sim.published.lock().unwrap() = vec!["ec-2", "rsa-1"];
    assert_eq!(by_ec().await, "/console/?refused=oidc_token", "keys were asked for a moment ago");
    assert_eq!(sim.keys_asked.load(Ordering::Relaxed), 1);
    sim.ahead.store(11_000, Ordering::Relaxed);
    assert_eq!(by_ec().await, "/console/");
    assert_eq!(sim.keys_asked.load(Ordering::Relaxed), 2);
    // A key that the provider takes back is none an hour later, though nobody named another meanwhile.
    *sim.published.lock().unwrap() = vec!["ec-2"];
    assert_eq!(signs_in(&sim, &home, &json!({})).await.0, "/console/");
    sim.ahead.store(3_612_000, Ordering::Relaxed);
    assert_eq!(signs_in(&sim, &home, &json!({})).await, refused("oidc_token"));
    assert_eq!(sim.keys_asked.load(Ordering::Relaxed), 3);
    sim.end();
    home.end().await;
}

#[tokio::test]
async fn of_two_who_come_back_at_once_neither_is_read_by_keys_that_have_not_come() {
    let (home, sim) = (Home::new().await, Sim::new().await);
    sim.opens(&home, &json!({}));
    adds(&home, json!({"name": "ann@shop.example", "role": "owner"})).await;
    adds(&home, json!({"name": "bo@shop.example", "role": "analyst"})).await;
    *sim.together.lock().unwrap() = Some(Arc::new(Barrier::new(2)));
    let (ann, bo) = (json!({}), json!({"sub": "u-2", "email": "bo@shop.example"}));
    let ((ann, _), (bo, _)) = tokio::join!(signs_in(&sim, &home, &ann), signs_in(&sim, &home, &bo));
    assert_eq!((ann.as_str(), bo.as_str()), ("/console/", "/console/"));
    assert_eq!(sim.keys_asked.load(Ordering::Relaxed), 1);
    sim.end();
    home.end().await;
}

#[tokio::test]
async fn who_goes_away_while_keys_are_asked_for_leaves_them_to_the_next() {
    let sim = Sim::new().await;
    let provider = sim.provider(&json!({}));
    let challenge = URL_SAFE_NO_PAD.encode(ring::digest::digest(&ring::digest::SHA256, b"v"));
    let of = Beginning { back: "http://a.b/sign-in/oidc/back", state: "s", nonce: "n", verifier: "v" };
    let away = Away { cookie: String::new(), said: BTreeMap::from([("nonce".to_owned(), "n".to_owned())]) };
    for code in ["first", "second"] {
        let token = sim.signed(&json!({"alg": "RS256", "kid": "rsa-1"}), &claims(&sim, &away, &json!({})));
        sim.codes.lock().unwrap().insert(code.to_owned(), Good { token, challenge: challenge.clone() });
    }
    sim.silent.store(true, Ordering::Relaxed);
    tokio::select! {
        _ = provider.end(&of, "first") => panic!("keys never come"),
        () = sim.keys_wanted.notified() => {}
    }
    sim.silent.store(false, Ordering::Relaxed);
    assert_eq!(provider.end(&of, "second").await.map(|claims| claims.subject), Ok("u-1".to_owned()));
    sim.end();
}

#[tokio::test]
async fn a_provider_that_is_down_is_not_asked_again_by_each_who_begins() {
    let (home, sim) = (Home::new().await, Sim::new().await);
    sim.opens(&home, &json!({}));
    let start = async || goes(&home, "/sign-in/oidc/start", "").await.header("location").unwrap().to_owned();
    sim.down.store(true, Ordering::Relaxed);
    for _ in 0..3 {
        assert_eq!(start().await, "/console/?refused=oidc_provider");
    }
    assert_eq!(sim.asked.load(Ordering::Relaxed), 1);
    sim.down.store(false, Ordering::Relaxed);
    sim.ahead.store(11_000, Ordering::Relaxed);
    assert!(start().await.starts_with(&sim.issuer));
    assert_eq!(sim.asked.load(Ordering::Relaxed), 2);
    // Who begins where it answers may do so as often as they like; where it does not, only so often.
    for _ in 0..40 {
        assert!(start().await.starts_with(&sim.issuer));
    }
    sim.down.store(true, Ordering::Relaxed);
    sim.ahead.store(3_620_000, Ordering::Relaxed);
    let mut last = String::new();
    for _ in 0..31 {
        last = start().await;
    }
    assert_eq!(last, "/console/?refused=too_many_attempts");
    assert_eq!(sim.asked.load(Ordering::Relaxed), 3);
    sim.end();
    home.end().await;
}

#[tokio::test]
async fn who_says_that_the_provider_said_no_is_counted_as_who_brings_a_code() {
    let (home, sim) = (Home::new().await, Sim::new().await);
    sim.opens(&home, &json!({}));
    let away = begins(&home, "/console/").await;
    let path = format!("/sign-in/oidc/back?error=access_denied&state={}", away.said["state"]);
    let mut last = String::new();
    for _ in 0..34 {
        last = goes(&home, &path, &away.cookie).await.header("location").unwrap().to_owned();
    }
    assert_eq!(last, "/console/?refused=too_many_attempts");
    sim.end();
    home.end().await;
}

#[tokio::test]
async fn somebody_with_a_long_address_is_made_known() {
    let (home, sim) = (Home::new().await, Sim::new().await);
    let roles = json!({"team": {"role": "marketer"}});
    sim.opens(&home, &json!({"roles_claim": "groups", "create": true, "roles": roles}));
    let email = format!("{}@people.shop.example", "anna-maria.".repeat(5));
    let email = email.replace(".@", "@");
    assert!(email.len() > 40);
    assert_eq!(signs_in(&sim, &home, &json!({"email": email, "groups": "team"})).await.0, "/console/");
    sim.end();
    home.end().await;
}

#[tokio::test]
async fn nobody_is_made_known_as_what_needs_a_code_of_the_staff() {
    let sim = Sim::new().await;
    let roles = json!({"floor": {"role": "advisor", "place": "330"}});
    let said = |create: bool| json!({"roles_claim": "groups", "create": create, "roles": roles});
    let problem = Oidc::of(sim.provider(&said(true))).err().unwrap();
    assert!(problem.starts_with("roles.floor: ") && problem.contains("staff"), "{problem}");
    assert!(Oidc::of(sim.provider(&said(false))).is_ok(), "who is known has a code already");
    sim.end();
}

#[tokio::test]
async fn where_passwords_are_off_an_owner_by_a_password_is_no_other_owner() {
    let (home, sim) = (Home::new().await, Sim::new().await);
    sim.opens(&home, &json!({"required": true}));
    let ann = adds(&home, json!({"name": "ann@shop.example", "role": "owner"})).await;
    adds(&home, json!({"name": "Pat", "role": "owner", "password": "kestrel over oak"})).await;
    assert_eq!(signs_in(&sim, &home, &json!({})).await.0, "/console/");
    let path = format!("/v1/people/{}", ann["id"].as_str().unwrap());
    let removed = home.as_key(&home.owner, "DELETE", &path, &Value::Null).await;
    assert_eq!((removed.status, removed.code()), (409, "last_owner".to_owned()), "{}", removed.text());
    let less = home.as_key(&home.owner, "PATCH", &path, &json!({"role": "analyst"})).await;
    assert_eq!((less.status, less.code()), (409, "last_owner".to_owned()), "{}", less.text());
    // Another whom the provider may tell of is one.
    adds(&home, json!({"name": "bo@shop.example", "role": "owner"})).await;
    let removed = home.as_key(&home.owner, "DELETE", &path, &Value::Null).await;
    assert_eq!(removed.status, 200, "{}", removed.text());
    sim.end();
    home.end().await;
}

#[tokio::test]
async fn somebody_stays_who_they_are_at_the_provider() {
    let (home, sim) = (Home::new().await, Sim::new().await);
    sim.opens(&home, &json!({}));
    let ann = adds(&home, json!({"name": "ann@shop.example", "role": "analyst"})).await;
    assert_eq!(signs_in(&sim, &home, &json!({})).await.0, "/console/");
    // Under another address they are still Ann; whoever gets Ann's address there after her is not.
    assert_eq!(signs_in(&sim, &home, &json!({"email": "ann.li@shop.example"})).await.0, "/console/");
    assert_eq!(signs_in(&sim, &home, &json!({"sub": "u-2"})).await, refused("oidc_other_person"));
    // Unless an owner says so.
    let path = format!("/v1/people/{}", ann["id"].as_str().unwrap());
    let unlinked =
        home.as_key(&home.owner, "PATCH", &path, &json!({"role": "analyst", "unlink": true})).await;
    assert_eq!((unlinked.status, &unlinked.json()["oidc"]), (200, &json!(false)), "{}", unlinked.text());
    let log =
        home.as_key(&home.owner, "GET", "/v1/audit?limit=200", &Value::Null).await.text().replace('\\', "");
    assert!(log.contains(r#""unlink":true"#), "{log}");
    assert_eq!(signs_in(&sim, &home, &json!({"sub": "u-2"})).await.0, "/console/");
    // Who was removed is nobody, and nobody becomes them.
    let (_, session) = signs_in(&sim, &home, &json!({"sub": "u-2"})).await;
    let removed = home.as_key(&home.owner, "DELETE", &path, &Value::Null).await;
    assert_eq!(removed.status, 200, "{}", removed.text());
    assert_eq!(goes(&home, "/v1/session", &session.unwrap()).await.status, 401);
    assert_eq!(signs_in(&sim, &home, &json!({"sub": "u-2"})).await, refused("oidc_unknown_person"));
    sim.end();
    home.end().await;
}

#[tokio::test]
async fn a_claim_says_as_what_somebody_acts_and_passwords_may_be_off() {
    let (home, sim) = (Home::new().await, Sim::new().await);
    adds(&home, json!({"name": "Old", "role": "analyst", "password": "kestrel over oak"})).await;
    sim.opens(
        &home,
        &json!({
            "roles_claim": "groups", "create": true, "required": true,
            "roles": {"boss": {"role": "owner"}, "team": {"role": "marketer"}, "330": {"role": "store_manager", "place": "330"}},
        }),
    );
    let roles_of = async |session: Option<String>| {
        let shown = goes(&home, "/v1/session", &session.unwrap()).await.json();
        (shown["roles"][0].as_str().unwrap().to_owned(), shown["person"]["place"].clone())
    };
    assert_eq!(signs_in(&sim, &home, &json!({})).await, refused("oidc_no_role"));
    assert_eq!(signs_in(&sim, &home, &json!({"groups": ["others"]})).await, refused("oidc_no_role"));
    let (to, session) = signs_in(&sim, &home, &json!({"groups": ["team", "boss"]})).await;
    assert_eq!(to, "/console/");
    assert_eq!(
        roles_of(session.clone()).await,
        ("owner".to_owned(), Value::Null),
        "the most that any of it allows"
    );
    // The only owner does not stop being one by a word of the provider's.
    assert_eq!(signs_in(&sim, &home, &json!({"groups": "team"})).await, refused("last_owner"));
    assert_eq!(
        signs_in(&sim, &home, &json!({"sub": "u-9", "email": "bo@shop.example", "groups": "boss"})).await.0,
        "/console/"
    );
    let (_, now) = signs_in(&sim, &home, &json!({"groups": ["330"]})).await;
    assert_eq!(roles_of(now).await, ("store_manager".to_owned(), json!("330")));
    assert_eq!(
        goes(&home, "/v1/session", &session.unwrap()).await.status,
        401,
        "what they may is another now"
    );
    // Nobody comes in by a password, however good.
    let body = json!({"name": "Old", "password": "kestrel over oak"}).to_string();
    let headers = [("content-type", "application/json"), ("sec-fetch-site", "same-origin")];
    let old = home.ask("POST", "/v1/session", &headers, body.as_bytes()).await;
    assert_eq!((old.status, old.code()), (403, "password_off".to_owned()));
    assert_eq!(goes(&home, "/v1/session/ways", "").await.json()["password"], false);
    // A key for who may do nothing here is still none.
    let public = home.key(Role::Public, None, None).await;
    assert_eq!(home.as_key(&public, "GET", "/v1/people", &Value::Null).await.status, 403);
    sim.end();
    home.end().await;
}

#[tokio::test]
async fn a_provider_that_is_not_there_or_another_lets_nobody_in() {
    let (home, sim) = (Home::new().await, Sim::new().await);
    let settings =
        json!({"issuer": format!("{}/", sim.issuer), "client_id": "zhiyin", "allow_private": true});
    let settings = Settings::parse(&settings.to_string(), |_| Ok(Vec::new())).unwrap();
    let clock = Arc::new(|| clock::wall().0 / 1_000);
    home.api.signs_in_by(Oidc::of(Provider::new(settings, Client::new(), clock)).unwrap());
    // It answers there, and calls itself something else.
    let another = goes(&home, "/sign-in/oidc/start", "").await;
    assert_eq!(another.header("location"), Some("/console/?refused=oidc_provider"));
    sim.end();
    home.end().await;
}
