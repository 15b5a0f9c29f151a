//! Keys of logins, accounts and TLS at the top of a file, and Dunlin's own block.

use super::key::Key;
use super::kinds::{Kind, Section, Shape};
use super::{BROKER, SECURITY, slot};
use crate::config::own_block;
use crate::config::security_keys::{accounts, authorization, mappings, proxies, tls};

const ACCOUNTS: &str = "connections are counted in their accounts";

/// Who may come in.
pub(super) const LOGINS: &[Key] = &[
    Key::new("authorization", Kind::Section(Section(authorization::authorization, Shape::Block)))
        .example("{user: \"ann\", password: \"s3cret\"}")
        .since(SECURITY)
        .help("Who may log in, without accounts"),
    Key::new("accounts", Kind::Section(Section(accounts::accounts, Shape::BlockOrNames)))
        .example("{A: {users: [{user: \"ann\", password: \"s3cret\"}]}}")
        .since(SECURITY)
        .help("Accounts with their users, limits, exports and imports"),
    Key::new("mappings", Kind::Section(Section(mappings::mappings, Shape::Block)))
        .aliases(&["maps"])
        .example("{\"a.*\": \"b.$1\"}")
        .later("subject mappings")
        .help("Subjects that are published under another one"),
    Key::new("no_auth_user", Kind::Text(slot!(no_auth_user)))
        .example("\"guest\"")
        .fixed("guests are connected as that user; only the key and its user may go together")
        .since(SECURITY)
        .help("User that a client is which shows no login"),
    Key::new("system_account", Kind::SystemAccount)
        .aliases(&["system"])
        .default("\"$SYS\"")
        .fixed(ACCOUNTS)
        .since(SECURITY)
        .help("Account of the server's own messages; quote it: a bare $SYS is a variable"),
    Key::new("no_system_account", Kind::Bool(slot!(no_system_account)))
        .aliases(&["no_system", "no_sys_acc"])
        .default("false")
        .fixed(ACCOUNTS)
        .since(SECURITY)
        .help("There is no account of the server's own messages"),
    Key::new("proxies", Kind::Section(Section(proxies::proxies, Shape::Block)))
        .example("{trusted: []}")
        .since(SECURITY)
        .help("Proxies that may speak for clients"),
    Key::new("tls", Kind::Section(Section(tls::tls, Shape::Block)))
        .example("{cert_file: \"server.pem\", key_file: \"server.key\"}")
        .since(SECURITY)
        .help("TLS for clients; its files are read again at each reload"),
    Key::new("allow_non_tls", Kind::Bool(slot!(allow_non_tls)))
        .default("false")
        .fixed("clients were told at their start")
        .since(SECURITY)
        .help("Serve clients without TLS as well")
        .shown_as("AllowNonTLS", |c| c.tls.as_ref().is_some_and(|tls| tls.allow_plain).to_string()),
];

/// Dunlin's own settings; nats-server refuses a file that has them.
pub(super) const OWN: &[Key] = &[Key::new("dunlin", Kind::Section(Section(own_block::block, Shape::Block)))
    .example("{spin_us: 0}")
    .since(BROKER)
    .help("Dunlin's own settings")
    .differs("nats-server does not know it: `dunlinctl config strip` writes a file without it")];
