//! HPUB and HMSG, and clients that do without.

use crate::case::{C, Case, HELLO, S, Why, case, closed, configured, hello};

pub(crate) const ROWS: &[Case] = &[
    case(
        "headers_travel_byte_for_byte",
        &[
            HELLO,
            C("SUB foo 1\r\nHPUB foo re 31 34\r\nNATS/1.0\r\nA: b\r\na:  b  \r\nE:\r\n\r\nxyz\r\n"),
            S("HMSG foo 1 re 31 34\r\nNATS/1.0\r\nA: b\r\na:  b  \r\nE:\r\n\r\nxyz\r\n"),
        ],
    ),
    case(
        "a_header_block_is_not_looked_into",
        &[
            HELLO,
            C("SUB foo 1\r\nHPUB foo 2 5\r\nabcde\r\nHPUB foo 12 12\r\nABCDEFGHIJKL\r\n"),
            S("HMSG foo 1 2 5\r\nabcde\r\nHMSG foo 1 12 12\r\nABCDEFGHIJKL\r\n"),
        ],
    ),
    case(
        "a_status_line_passes_through",
        &[
            HELLO,
            C("SUB foo 1\r\nHPUB foo 32 32\r\nNATS/1.0 408 Request Timeout\r\n\r\n\r\n"),
            S("HMSG foo 1 32 32\r\nNATS/1.0 408 Request Timeout\r\n\r\n\r\n"),
        ],
    ),
    case(
        "a_header_of_no_bytes_makes_a_plain_message",
        &[HELLO, C("SUB foo 1\r\nHPUB foo 0 5\r\nabcde\r\n"), S("MSG foo 1 5\r\nabcde\r\n")],
    ),
    case(
        "a_client_without_headers_gets_the_payload_alone",
        &[
            HELLO,
            hello(",\"headers\":false,\"no_responders\":false").by('B'),
            C("SUB foo 1\r\nPING\r\n").by('B'),
            S("PONG\r\n").by('B'),
            C("HPUB foo r 12 14\r\nNATS/1.0\r\n\r\nhi\r\nPUB foo 2\r\nyo\r\nPING\r\n"),
            S("PONG\r\n"),
            S("MSG foo 1 r 2\r\nhi\r\nMSG foo 1 2\r\nyo\r\n").by('B'),
        ],
    ),
    case(
        "in_verbose_mode_ok_comes_before_the_delivery",
        &[
            hello(",\"verbose\":true"),
            C("SUB foo 1\r\n"),
            S("+OK\r\n"),
            C("HPUB foo 12 12\r\nNATS/1.0\r\n\r\n\r\n"),
            S("+OK\r\nHMSG foo 1 12 12\r\nNATS/1.0\r\n\r\n\r\n"),
        ],
    ),
    case("sizes_must_be_numbers", &[HELLO, C("HPUB foo a 5\r\n"), closed(Why::ProtocolViolation)]),
    case("one_size_is_not_enough", &[HELLO, C("HPUB foo 12\r\n"), closed(Why::ProtocolViolation)]),
    case("the_header_is_part_of_the_whole", &[HELLO, C("HPUB foo 12 11\r\n"), closed(Why::ProtocolViolation)]),
    case("a_surplus_argument_closes", &[HELLO, C("HPUB foo re x 12 12\r\n"), closed(Why::ProtocolViolation)]),
    case(
        "a_payload_without_its_line_end_closes",
        &[
            HELLO,
            C("HPUB foo 12 14\r\nNATS/1.0\r\n\r\nhiX"),
            S("-ERR 'Unknown Protocol Operation'\r\n"),
            closed(Why::ProtocolViolation),
        ],
    ),
    case(
        "who_said_no_headers_may_not_send_them",
        &[hello(",\"headers\":false,\"no_responders\":false"), C("HPUB foo 12 12\r\n"), closed(Why::ProtocolViolation)],
    ),
    configured(
        "a_server_without_headers_refuses_them",
        "no_header_support: true\n",
        &[
            C("CONNECT {\"verbose\":false,\"pedantic\":false,\"headers\":true}\r\nSUB foo 1\r\nPUB foo 1\r\nx\r\n"),
            S("MSG foo 1 1\r\nx\r\n"),
            C("HPUB foo 12 12\r\nNATS/1.0\r\n\r\n\r\n"),
            closed(Why::ProtocolViolation),
        ],
    ),
];
