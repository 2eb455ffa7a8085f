//! What the log says about a request can be found by the id that its user sees.

use crate::common::{Network, User};
use atoma_runtime::KeptLog;
use atoma_types::http::REQUEST_ID;
use http::StatusCode;

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_found_by_the_id_that_its_user_sees() {
    let log = KeptLog::of_program();
    let network = Network::start(&[1_000_000]).await;
    let gateway = network.gateway(network.config()).await;

    let answer = User::new(&gateway, &network.key).chat(2, false).await;
    assert_eq!(answer.status, StatusCode::OK);
    let id = answer.headers[REQUEST_ID].to_str().unwrap();
    let span = format!("user_request{{id={id}");
    assert!(log.has_line_with(&[&span, "bought a stack"]));

    let poor = User::new(&gateway, &network.poor).chat(2, false).await;
    assert_eq!(poor.status, StatusCode::PAYMENT_REQUIRED);
    let id = poor.headers[REQUEST_ID].to_str().unwrap();
    let span = format!("user_request{{id={id}");
    assert!(log.has_line_with(&[&span, "refused", "insufficient_quota"]));
    for key in [&network.key, &network.poor] {
        assert!(
            !log.has_line_with(&[key.reveal()]),
            "a secret is in the log"
        );
    }
    gateway.shutdown().await;
}
