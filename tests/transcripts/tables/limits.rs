//! Limits of the configuration, the texts that tell of them, and who is closed.

use crate::case::{C, Case, HELLO, S, Why, closed, configured, hello, info};

pub(crate) const ROWS: &[Case] = &[
    configured(
        "a_payload_of_the_limit_passes_and_one_byte_more_closes",
        "max_payload: 10\n",
        &[
            HELLO,
            C("SUB foo 1\r\nPUB foo 10\r\n0123456789\r\n"),
            S("MSG foo 1 10\r\n0123456789\r\n"),
            C("PUB foo 11\r\n"),
            S("-ERR 'Maximum Payload Violation'\r\n"),
            closed(Why::MaximumPayload),
        ],
    ),
    configured(
        "a_violation_is_not_acknowledged",
        "max_payload: 10\n",
        &[
            hello(",\"verbose\":true"),
            C("PUB foo 11\r\n"),
            S("-ERR 'Maximum Payload Violation'\r\n"),
            closed(Why::MaximumPayload),
        ],
    ),
    configured(
        "headers_count_as_payload",
        "max_payload: 16\n",
        &[
            HELLO,
            C("SUB foo 1\r\nHPUB foo 12 16\r\nNATS/1.0\r\n\r\nabcd\r\n"),
            S("HMSG foo 1 12 16\r\nNATS/1.0\r\n\r\nabcd\r\n"),
            C("HPUB foo 12 17\r\n"),
            S("-ERR 'Maximum Payload Violation'\r\n"),
            closed(Why::MaximumPayload),
        ],
    ),
    configured(
        "a_control_line_beyond_the_limit_closes",
        "max_control_line: 128\n",
        &[
            HELLO,
            C(
                "SUB aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb 1\r\nPING\r\n",
            ),
            S("PONG\r\n"),
            C(
                "SUB aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb 1\r\n",
            ),
            S("-ERR 'maximum control line exceeded'\r\n"),
            closed(Why::MaximumControlLine),
        ],
    ),
    configured(
        "subscriptions_beyond_the_limit_are_refused_and_nobody_is_closed",
        "max_subscriptions: 2\n",
        &[
            HELLO,
            C("SUB a 1\r\nSUB b 2\r\nSUB c 3\r\n"),
            S("-ERR 'maximum subscriptions exceeded'\r\n"),
            C("PUB c 1\r\nx\r\nUNSUB 1\r\nSUB c 3\r\nPUB c 1\r\ny\r\n"),
            S("MSG c 3 1\r\ny\r\n"),
        ],
    ),
    configured(
        "patterns_with_too_many_tokens_are_refused",
        "max_sub_tokens: 3\n",
        &[
            HELLO,
            C("SUB a.b.c 1\r\nSUB a.b.c.d 2\r\n"),
            S("-ERR 'Permissions Violation for Subscription to \"a.b.c.d\", too many tokens'\r\n"),
            C("PUB a.b.c.d 1\r\nx\r\nPUB a.b.c 1\r\ny\r\n"),
            S("MSG a.b.c 1 1\r\ny\r\n"),
        ],
    ),
    configured(
        "the_configuration_shows_in_info",
        "max_payload: 2048\nserver_name: \"some-name\"\nclient_advertise: \"example.invalid:1234\"\n",
        &[C("CONNECT {\"verbose\":false,\"protocol\":1}\r\nPING\r\n"), S("PONG\r\n"), info("\"max_payload\":2048")],
    ),
    configured(
        "who_does_not_answer_pings_is_stale",
        "ping_interval: \"0.2s\"\nping_max: 1\n",
        &[HELLO, S("PING\r\n"), S("-ERR 'Stale Connection'\r\n"), closed(Why::StaleConnection)],
    ),
    configured(
        "a_full_connection_hears_so_before_its_subject_or_name_is_looked_at",
        "max_subscriptions: 1\nmax_sub_tokens: 2\n",
        &[
            HELLO,
            C("SUB a 1\r\nSUB a 1\r\nSUB b. 2\r\nSUB .. 1\r\n"),
            S("-ERR 'maximum subscriptions exceeded'\r\n-ERR 'maximum subscriptions exceeded'\r\n"),
            S("-ERR 'Permissions Violation for Subscription to \"..\", too many tokens'\r\n"),
        ],
    ),
];
