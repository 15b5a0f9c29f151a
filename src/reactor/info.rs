//! INFO, as each client gets it.
//!
//! Owns the lines with room for what differs between connections, made once for each of the few forms there are: a storm of
//! connections costs no serialisation. They hold for the settings at hand and are forgotten with them.

use hashbrown::HashMap;

use super::Reactor;
use crate::ids::AccountId;
use crate::os::poll::Os;
use crate::protocol::handshake::InfoTemplate;

/// What a line depends on beside the settings and the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Form {
    /// The first one; whether TLS comes before it.
    First { tls_first: bool },
    /// The one that tells what became of a CONNECT that led into this account.
    AboutConnect(AccountId),
}

/// The lines that were asked for since the settings came.
#[derive(Debug, Default)]
pub(super) struct InfoLines {
    templates: HashMap<(Form, bool), InfoTemplate>,
    line: Vec<u8>,
}

impl InfoLines {
    /// Other settings hold.
    pub(super) fn forget(&mut self) {
        self.templates.clear();
    }
}

impl<O: Os> Reactor<O> {
    /// INFO: the first one, or (`about_connect`) the one that tells a client what became of its CONNECT.
    pub(super) fn send_info(&mut self, slot: u32, about_connect: bool) {
        let Some(client) = self.clients.at(slot) else { return };
        let form = if about_connect {
            Form::AboutConnect(client.account)
        } else {
            Form::First { tls_first: client.is_tls_first() }
        };
        let ldm = self.lame_duck.is_some();
        let InfoLines { templates, line } = &mut self.info_lines;
        let settings = &self.settings;
        let template = templates.entry((form, ldm)).or_insert_with(|| {
            let mut info = settings.info.clone();
            info.ldm = ldm;
            match form {
                Form::First { tls_first } => info.tls_required |= tls_first,
                Form::AboutConnect(account) => {
                    info.connect_info = true;
                    info.auth_required = settings.directory.is_required();
                    if let Some(account) = settings.account(account) {
                        info.remote_account = account.name.to_string();
                        info.max_payload = account.rules.payload_bytes_max;
                    }
                }
            }
            InfoTemplate::new(&info)
        });
        let connection = &mut client.connection;
        // Whom a proxy brings is known when its header has come.
        let ip = if client.header.is_none() { connection.address.ip() } else { None };
        let nonce = if about_connect { "" } else { connection.nonce().unwrap_or_default() };
        line.clear();
        template.put_line(line, connection.client.0, ip, nonce);
        connection.outbound.push(line, &mut self.pool);
    }
}
