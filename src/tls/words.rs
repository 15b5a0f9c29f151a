//! Errors of TLS in the peer's words, as far as rustls tells what happened.

use rustls::pki_types::UnixTime;
use rustls::{AlertDescription, CertificateError, Error, InvalidMessage, PeerIncompatible};

/// What the log says of a handshake that failed. `hello` is the version that the client's hello is written for, which says the
/// latest one that it knows where that is before 1.3.
pub fn handshake(error: &Error, hello: u16) -> String {
    match error {
        // rustls finds other faults first in what such clients send.
        Error::PeerIncompatible(_) if hello < 0x0303 => {
            let older: Vec<String> = (0x0301..=hello).rev().map(|version| format!("{version:x}")).collect();
            format!("tls: client offered only unsupported versions: [{}]", older.join(" "))
        }
        Error::NoCertificatesPresented => "tls: client didn't provide a certificate".into(),
        Error::InvalidCertificate(why) => format!("tls: failed to verify certificate: x509: {}", certificate(why)),
        Error::PeerIncompatible(why) => match why {
            PeerIncompatible::Tls12NotOffered
            | PeerIncompatible::Tls12NotOfferedOrEnabled
            | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig
            | PeerIncompatible::SupportedVersionsExtensionRequired => {
                "tls: client offered only unsupported versions".into()
            }
            PeerIncompatible::NoCipherSuitesInCommon => {
                "tls: no cipher suite supported by both client and server".into()
            }
            PeerIncompatible::NoKxGroupsInCommon | PeerIncompatible::NamedGroupsExtensionRequired => {
                "tls: no key exchanges supported by both client and server".into()
            }
            PeerIncompatible::NoSignatureSchemesInCommon | PeerIncompatible::SignatureAlgorithmsExtensionRequired => {
                "tls: peer doesn't support any of the certificate's signature algorithms".into()
            }
            other => format!("tls: client is incompatible: {other:?}"),
        },
        Error::AlertReceived(alert) => format!("remote error: tls: {}", alert_text(*alert)),
        Error::InvalidMessage(InvalidMessage::HandshakePayloadTooLarge) => {
            "tls: handshake message exceeds maximum of 65536 bytes".into()
        }
        Error::PeerSentOversizedRecord | Error::InvalidMessage(InvalidMessage::MessageTooLarge) => {
            "tls: oversized record received".into()
        }
        Error::InappropriateMessage { .. } | Error::InappropriateHandshakeMessage { .. } => {
            "tls: unexpected message".into()
        }
        Error::DecryptError => "tls: bad record MAC".into(),
        // TLS 1.2 finds out that no signature fits only when it is to sign.
        Error::General(why) if why == "incompatible signing key" => {
            "tls: peer doesn't support any of the certificate's signature algorithms".into()
        }
        other => format!("tls: {other}"),
    }
}

fn certificate(error: &CertificateError) -> String {
    match error {
        CertificateError::UnknownIssuer => "certificate signed by unknown authority".into(),
        CertificateError::ExpiredContext { time, not_after } => {
            let (now, end) = (clock(*time), clock(*not_after));
            format!("certificate has expired or is not yet valid: current time {now} is after {end}")
        }
        CertificateError::NotValidYetContext { time, not_before } => {
            let (now, start) = (clock(*time), clock(*not_before));
            format!("certificate has expired or is not yet valid: current time {now} is before {start}")
        }
        CertificateError::Expired | CertificateError::NotValidYet => {
            "certificate has expired or is not yet valid".into()
        }
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "certificate specifies an incompatible key usage".into()
        }
        CertificateError::BadEncoding => "malformed certificate".into(),
        other => other.to_string(),
    }
}

/// A time as Go shows it, in UTC.
fn clock(time: UnixTime) -> String {
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    jiff::Timestamp::from_second(seconds).map_or_else(|_| seconds.to_string(), |time| time.to_string())
}

fn alert_text(alert: AlertDescription) -> String {
    match alert {
        AlertDescription::BadCertificate => "bad certificate".into(),
        AlertDescription::UnsupportedCertificate => "unsupported certificate".into(),
        AlertDescription::CertificateRevoked => "revoked certificate".into(),
        AlertDescription::CertificateExpired => "expired certificate".into(),
        AlertDescription::CertificateUnknown => "unknown certificate".into(),
        AlertDescription::UnknownCA => "unknown certificate authority".into(),
        AlertDescription::HandshakeFailure => "handshake failure".into(),
        AlertDescription::ProtocolVersion => "protocol version not supported".into(),
        AlertDescription::CertificateRequired => "certificate required".into(),
        AlertDescription::DecryptError => "error decrypting message".into(),
        AlertDescription::IllegalParameter => "illegal parameter".into(),
        AlertDescription::UnexpectedMessage => "unexpected message".into(),
        AlertDescription::UserCanceled => "user canceled".into(),
        AlertDescription::InternalError => "internal error".into(),
        other => format!("{other:?}"),
    }
}
