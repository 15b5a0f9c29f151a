#!/bin/sh
# What the scenarios of logins and TLS go by, for all three clients: tests/clients/fixture.sh FOLDER
#
# Makes certificates with the command `openssl`, which live as long as the folder, and writes the servers' configuration files.
# The passwords and seeds are worth nothing: no server but those of the scenarios knows them.
set -eu

[ $# = 1 ] || { echo "usage: fixture.sh FOLDER" >&2; exit 2; }
command -v openssl >/dev/null || { echo "fixture.sh makes certificates with the command openssl, which is missing here" >&2; exit 1; }
umask 077
mkdir -p "$1"
cd "$1"
folder=$(pwd)

# quietly COMMAND ...: says what it said only where it fails.
quietly() { "$@" >openssl.log 2>&1 || { cat openssl.log >&2; exit 1; }; }

key() { quietly openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1-key.pem"; }

# authority NAME
authority() {
    key "$1"
    quietly openssl req -x509 -new -key "$1-key.pem" -subj "/O=Dunlin/CN=$1" -days 3 -out "$1.pem" \
        -addext keyUsage=critical,keyCertSign,cRLSign
}

# certificate NAME AUTHORITY SUBJECT USAGE [ALTERNATIVE_NAMES]
certificate() {
    key "$1"
    quietly openssl req -new -key "$1-key.pem" -subj "$3" -out "$1.csr"
    {
        echo "basicConstraints=critical,CA:FALSE"
        echo "keyUsage=critical,digitalSignature"
        echo "extendedKeyUsage=$4"
        echo "authorityKeyIdentifier=keyid"
        if [ $# = 5 ]; then echo "subjectAltName=$5"; fi
    } >"$1.ext"
    quietly openssl x509 -req -in "$1.csr" -CA "$2.pem" -CAkey "$2-key.pem" -CAcreateserial -days 2 -extfile "$1.ext" -out "$1.pem"
}

authority ca
authority other-ca
certificate server ca "/O=Dunlin/CN=server" serverAuth "DNS:localhost,IP:127.0.0.1"
certificate carl ca "/O=Dunlin/CN=somebody" clientAuth "email:carl@clients.test"
certificate dora ca "/O=Dunlin/OU=clients/CN=dora" clientAuth
certificate unknown ca "/O=Dunlin/OU=clients/CN=unknown" clientAuth
certificate stranger other-ca "/O=Dunlin/OU=clients/CN=dora" clientAuth

# Hashes of "bob has a hashed password" and "a hashed token of clients"; the seed of the nkey is in the scenarios.
cat >logins.conf <<'END'
authorization {
  timeout: 30
  users: [
    { user: alice, password: "alice has a plain password" }
    { user: bob, password: "$2a$05$AhAmwpyHa/ozuRj0Dff2vehFyicCGhZZU5o5Jrihx91MDveHfpzfa" }
    { nkey: UCELYDHKROUXBACTQ3UM3AOGUBDI66HIUXW4DNXFWQTCS4YDBLXWP55L }
    { user: limited, password: limits, permissions {
        publish { allow: ["open.>", "_INBOX.>"], deny: "open.secret" }
        subscribe { allow: ["open.>", "_INBOX.>", "work workers"], deny: "open.secret" }
    } }
  ]
}
END

cat >guest.conf <<'END'
no_auth_user: guest
authorization {
  timeout: 30
  users: [
    { user: alice, password: "alice has a plain password" }
    { user: guest, password: "guests do not say it", permissions { publish: ["guests.>", "_INBOX.>"], subscribe: [">"] } }
  ]
}
END

cat >token.conf <<'END'
authorization { timeout: 30, token: "a plain token of clients" }
END

cat >hashed_token.conf <<'END'
authorization { timeout: 30, token: "$2a$05$OjCtbNmwRhY/mV1lCmC.6eubkTTWaiLUJ3Sjhrwq9D2DL2fk3KGk6" }
END

cat >accounts.conf <<'END'
authorization { timeout: 30 }
accounts {
  RED { users: [{ user: red, password: red }, { user: rose, password: rose }] }
  BLUE { users: [{ user: blue, password: blue }] }
}
END

# tls FILE LINES: a configuration whose `tls` block has these lines too.
tls() {
    cat >"$1" <<END
tls {
  cert_file: "$folder/server.pem"
  key_file: "$folder/server-key.pem"
  timeout: 30
  $2
}
END
}

tls tls.conf ""
tls first.conf "handshake_first: true"
tls auto.conf "handshake_first: auto"
tls verify.conf "ca_file: \"$folder/ca.pem\", verify: true"
tls map.conf "ca_file: \"$folder/ca.pem\", verify_and_map: true"
cat >>map.conf <<'END'
authorization {
  timeout: 30
  users: [
    { user: "carl@clients.test" }
    { user: "CN=dora,OU=clients,O=Dunlin", permissions { publish: ["dora.>", "_INBOX.>"], subscribe: ["dora.>", "_INBOX.>"] } }
  ]
}
END
tls tls_logins.conf "# and logins:"
cat logins.conf >>tls_logins.conf
