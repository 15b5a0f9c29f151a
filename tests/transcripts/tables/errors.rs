//! What is wrong with the protocol, and who is closed for it.

use crate::case::{C, Case, HELLO, S, Step, Why, case, closed};

const UNKNOWN: Step = S("-ERR 'Unknown Protocol Operation'\r\n");
const VIOLATION: Step = closed(Why::ProtocolViolation);

pub(crate) const ROWS: &[Case] = &[
    case("an_unknown_verb_closes", &[C("FOO\r\n"), UNKNOWN, VIOLATION]),
    case("an_unknown_verb_closes_after_connect_too", &[HELLO, C("FOO bar\r\n"), UNKNOWN, VIOLATION]),
    case("an_empty_line_is_no_operation", &[HELLO, C("\r\n"), UNKNOWN, VIOLATION]),
    case("a_verb_needs_a_blank_sub", &[HELLO, C("SUBfoo 1\r\n"), UNKNOWN, VIOLATION]),
    case("a_verb_needs_a_blank_pub", &[HELLO, C("PUBfoo 1\r\n"), UNKNOWN, VIOLATION]),
    case("a_verb_needs_a_blank_unsub", &[HELLO, C("UNSUB1\r\n"), UNKNOWN, VIOLATION]),
    case("pub_without_arguments", &[HELLO, C("PUB\r\n"), UNKNOWN, VIOLATION]),
    case("pub_with_a_subject_only", &[HELLO, C("PUB foo\r\n"), VIOLATION]),
    case("pub_with_four_arguments", &[HELLO, C("PUB foo bar baz 2\r\n"), VIOLATION]),
    case("pub_with_a_word_for_a_size", &[HELLO, C("PUB foo abc\r\n"), VIOLATION]),
    case("pub_with_a_negative_size", &[HELLO, C("PUB foo -1\r\n"), VIOLATION]),
    case("pub_with_a_signed_size", &[HELLO, C("PUB foo +3\r\n"), VIOLATION]),
    case("pub_with_a_size_beyond_nine_digits_cve_2019_13126", &[HELLO, C("PUB foo 1000000000\r\n"), VIOLATION]),
    case(
        "pub_with_a_size_beyond_64_bits_cve_2019_13126",
        &[HELLO, C("PUB foo 99999999999999999999999\r\n"), VIOLATION],
    ),
    case("a_payload_longer_than_said", &[HELLO, C("PUB foo 3\r\nabcX"), UNKNOWN, VIOLATION]),
    case("sub_without_arguments", &[HELLO, C("SUB\r\n"), UNKNOWN, VIOLATION]),
    case("sub_with_a_subject_only", &[HELLO, C("SUB foo\r\n"), VIOLATION]),
    case("sub_with_four_arguments", &[HELLO, C("SUB foo q 1 2\r\n"), VIOLATION]),
    case("unsub_without_arguments", &[HELLO, C("UNSUB\r\n"), UNKNOWN, VIOLATION]),
    case("a_plus_that_is_not_ok", &[HELLO, C("+NO\r\n"), UNKNOWN, VIOLATION]),
    case("an_error_from_a_client_closes_it", &[HELLO, C("-ERR 'boo'\r\n"), closed(Why::ParseError)]),
    case("operations_of_accounts_are_not_for_clients", &[HELLO, C("A+ acc\r\n"), UNKNOWN, VIOLATION]),
    case("operations_of_routes_are_not_for_clients", &[HELLO, C("RS+ $G foo\r\n"), UNKNOWN, VIOLATION]),
    case("operations_of_leaf_nodes_are_not_for_clients", &[HELLO, C("LS+ foo\r\n"), UNKNOWN, VIOLATION]),
    case("messages_are_not_for_clients_to_send", &[HELLO, C("MSG foo 1 1\r\nx\r\n"), UNKNOWN, VIOLATION]),
    case(
        "a_carriage_return_inside_an_argument_reads_the_same_however_cut_tob_nats_5",
        &[HELLO, C("SUB > 1\r\nPUB a\rbc 3\r\nxyz\r\n"), S("MSG a\rbc 1 3\r\nxyz\r\n")],
    )
    .peer_when_cut("drops the carriage return"),
    case(
        "what_precedes_the_error_is_done",
        &[
            HELLO,
            HELLO.by('B'),
            C("SUB foo 1\r\nPING\r\n").by('B'),
            S("PONG\r\n").by('B'),
            C("PUB foo 1\r\nx\r\nPING\r\nBAD\r\n"),
            S("PONG\r\n"),
            UNKNOWN,
            VIOLATION,
            S("MSG foo 1 1\r\nx\r\n").by('B'),
        ],
    ),
    case(
        "subscriptions_end_with_their_connection",
        &[
            HELLO.by('B'),
            HELLO,
            C("SUB foo 1\r\nSUB in 2\r\nBAD\r\n"),
            UNKNOWN,
            VIOLATION,
            C("SUB in 3\r\nPUB foo in 0\r\n\r\n").by('B'),
            S("HMSG in 3 35 35\r\nNATS/1.0 503\r\nNats-Subject: foo\r\n\r\n\r\n").by('B'),
        ],
    ),
];
