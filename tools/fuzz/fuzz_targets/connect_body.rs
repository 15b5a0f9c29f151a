//! CONNECT: a body that is refused has no effect, one that is taken twice has that of once, and secrets are not printed.
//!
//! The input is one or two bodies, with a NUL between them.
#![no_main]

use dunlin::protocol::handshake::ConnectOptions;
use dunlin::secret::Secret;
use libfuzzer_sys::fuzz_target;

/// The options without what only names the client, which a refused body may change.
fn effect(options: &ConnectOptions) -> ConnectOptions {
    ConnectOptions { name: "".into(), lang: "".into(), version: "".into(), ..options.clone() }
}

/// The same options with other secrets.
fn with_other_secrets(options: &ConnectOptions) -> ConnectOptions {
    let other = |secret: &Secret| Secret::new(if secret.is_empty() { "" } else { "another" });
    ConnectOptions {
        pass: other(&options.pass),
        auth_token: other(&options.auth_token),
        jwt: other(&options.jwt),
        sig: other(&options.sig),
        proxy_sig: other(&options.proxy_sig),
        ..options.clone()
    }
}

fuzz_target!(|input: &[u8]| {
    let mut options = ConnectOptions::default();
    for body in input.splitn(2, |&byte| byte == 0) {
        for headers_allowed in [true, false] {
            let before = options.clone();
            if options.apply(body, headers_allowed).is_err() {
                assert_eq!(effect(&options), effect(&before));
                continue;
            }
            assert!(options.protocol <= 1 && (options.headers || !options.no_responders));
            assert!(headers_allowed || !options.headers);
            let once = options.clone();
            assert_eq!(options.apply(body, headers_allowed), Ok(()));
            assert_eq!(options, once);
            assert_eq!(format!("{options:?}"), format!("{:?}", with_other_secrets(&options)));
        }
    }
});
