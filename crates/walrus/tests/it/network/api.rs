//! The HTTP interface, asked by plain requests as any client would.

use super::server::Server;
use atoma_walrus::{
    coding::{Params, blob_id},
    http::HttpOptions,
    store::Fault,
};
use serde_json::json;

#[tokio::test]
async fn a_blob_is_stored_and_read_in_every_way() {
    let server = Server::start().await;
    let text = b"some other string".as_slice();
    let id = blob_id(Params::new(10).unwrap(), text).unwrap().to_string();
    let reply = server
        .send("PUT", "/v1/blobs?epochs=3&permanent=true", &[], text)
        .await;
    let created = &reply.json()["newlyCreated"];
    let object = &created["blobObject"];
    assert_eq!(object["blobId"], id.as_str());
    assert_eq!(
        (&object["size"], &object["encodingType"]),
        (&json!(17), &json!("RS2"))
    );
    assert_eq!(
        (&object["certifiedEpoch"], &object["deletable"]),
        (&json!(1), &json!(false))
    );
    assert_eq!(object["storage"]["endEpoch"], 4);
    let length = Params::new(10).unwrap().encoded_length(17).unwrap();
    let operation = json!({"registerFromScratch": {"encodedLength": length, "epochsAhead": 3}});
    assert_eq!(
        (&created["resourceOperation"], &created["cost"]),
        (&operation, &json!(320_000))
    );
    let object_id = object["id"].as_str().unwrap();

    let again = server
        .send("PUT", "/v1/blobs?epochs=2&permanent=true", &[], text)
        .await;
    let expected = json!({"alreadyCertified": {"blobId": id, "object": object_id, "endEpoch": 4}});
    assert_eq!(again.json(), expected);

    for path in [
        format!("/v1/blobs/{id}"),
        format!("/v1/blobs/by-object-id/{object_id}"),
    ] {
        let whole = server
            .get(&format!("{path}?strict_consistency_check=true"))
            .await;
        assert_eq!((whole.status.as_u16(), &whole.body[..]), (200, text));
        assert_eq!(whole.header("etag"), format!("\"{id}\""));
        assert!(whole.header("cache-control").contains("max-age=86400"));
        let head = server.send("HEAD", &path, &[], "").await;
        assert_eq!((head.header("content-length"), head.body.len()), ("17", 0));
        let part = server
            .send("GET", &path, &[("range", "bytes=5-9")], "")
            .await;
        assert_eq!((part.status.as_u16(), &part.body[..]), (206, &text[5..10]));
        assert_eq!(part.header("content-range"), "bytes 5-9/17");
    }
    let range = server
        .get(&format!("/v1/blobs/{id}/byte-range?start=5&length=5"))
        .await;
    assert_eq!(&range.body[..], &text[5..10]);
    assert_eq!(server.get("/status").await.body, "OK");
    let asked = server.send("OPTIONS", "/v1/blobs", &[], "").await;
    assert_eq!(asked.header("access-control-allow-origin"), "*");

    let empty = server.send("PUT", "/v1/blobs", &[], "").await;
    let object = &empty.json()["newlyCreated"]["blobObject"];
    assert_eq!(object["deletable"], true, "the default");
    let path = format!("/v1/blobs/{}", object["blobId"].as_str().unwrap());
    assert_eq!(server.get(&path).await.body.len(), 0);
}

#[tokio::test]
async fn refusals_have_walrus_reasons() {
    let server = Server::start().await;
    let reply = server.send("PUT", "/v1/blobs", &[], vec![7; 2_000]).await;
    let id = reply.json()["newlyCreated"]["blobObject"]["blobId"]
        .as_str()
        .unwrap()
        .to_owned();
    let malformed = [
        "epochs=0",
        "epochs=54",
        "epochs=x",
        "unknown=1",
        "permanent=1",
        "encoding_type=RaptorQ",
        "quilt_version=V1",
        "send_object_to=0x1&share=true",
        "send_object_to=0xg",
    ];
    for query in malformed {
        let reply = server
            .send("PUT", &format!("/v1/blobs?{query}"), &[], "x")
            .await;
        assert_eq!(
            (reply.status.as_u16(), reply.reason().as_str()),
            (400, "MALFORMED_REQUEST"),
            "{query}"
        );
    }
    let both = server
        .send("PUT", "/v1/blobs?permanent=true&deletable=true", &[], "x")
        .await;
    assert_eq!(
        (both.status.as_u16(), both.reason().as_str()),
        (400, "INVALID_BLOB_PERSISTENCE")
    );
    let large = server
        .send("PUT", "/v1/blobs", &[], vec![0; 1_834_953])
        .await;
    assert_eq!(
        (large.status.as_u16(), large.reason().as_str()),
        (413, "BLOB_TOO_LARGE")
    );
    let larger = server
        .send("PUT", "/v1/blobs", &[], vec![0; (10 << 20) + 1])
        .await;
    assert_eq!(larger.status, 413);

    let missing = "A".repeat(43);
    let reasons = [
        (format!("/v1/blobs/{missing}"), 404, "BLOB_NOT_FOUND"),
        (
            "/v1/blobs/by-object-id/0x5".to_owned(),
            404,
            "BLOB_NOT_FOUND",
        ),
        ("/v1/blobs/nothing".to_owned(), 400, "MALFORMED_REQUEST"),
        (format!("/v1/blobs/{id}?cb=1"), 400, "MALFORMED_REQUEST"),
        (
            format!("/v1/blobs/{id}/byte-range?start=0&length=0"),
            416,
            "INVALID_BYTE_RANGE",
        ),
        (
            format!("/v1/blobs/{id}/byte-range?start=1999&length=2"),
            416,
            "INVALID_BYTE_RANGE",
        ),
        (
            format!("/v1/blobs/{id}/byte-range?start=0"),
            400,
            "MALFORMED_REQUEST",
        ),
        (format!("/v1/quilts/{id}/patches"), 400, "MALFORMED_REQUEST"),
    ];
    for (path, status, reason) in reasons {
        let reply = server.get(&path).await;
        assert_eq!(
            (reply.status.as_u16(), reply.reason().as_str()),
            (status, reason),
            "{path}"
        );
    }
    for range in ["bytes=5-", "bytes=2000-2001", "bytes=0-1,3-4"] {
        let path = format!("/v1/blobs/{id}");
        let reply = server.send("GET", &path, &[("range", range)], "").await;
        assert_eq!(
            (reply.status.as_u16(), reply.reason().as_str()),
            (416, "INVALID_BYTE_RANGE")
        );
    }
    for node in 0..7 {
        server.store.set_fault(node, Fault::Down).unwrap();
    }
    let away = server.get(&format!("/v1/blobs/{id}")).await;
    assert_eq!(
        (away.status.as_u16(), away.reason().as_str()),
        (503, "BLOB_UNAVAILABLE")
    );
    let unconfirmed = server.send("PUT", "/v1/blobs", &[], "y").await;
    assert_eq!(unconfirmed.reason(), "INSUFFICIENT_CONFIRMATIONS");
    assert_eq!(unconfirmed.status, 504);
}

#[tokio::test]
async fn too_many_uploads_at_once_are_turned_away() {
    let options = HttpOptions {
        max_uploads: 1,
        ..HttpOptions::default()
    };
    let server = Server::start_with(options, |routes| routes).await;
    let body = |i: u8| vec![i; 200_000];
    let puts = (0..12).map(|i| server.send("PUT", "/v1/blobs", &[], body(i)));
    let statuses: Vec<u16> = futures::future::join_all(puts)
        .await
        .iter()
        .map(|reply| reply.status.as_u16())
        .collect();
    assert!(
        statuses.contains(&200) && statuses.contains(&429),
        "{statuses:?}"
    );
    assert!(statuses.iter().all(|status| matches!(status, 200 | 429)));
}

#[tokio::test]
async fn quilts_are_stored_and_their_patches_read() {
    let server = Server::start().await;
    let form = "--b\r\ncontent-disposition: form-data; name=\"_metadata\"\r\n\r\n\
        [{\"identifier\":\"b.txt\",\"tags\":{\"content-type\":\"text/plain\",\"n\":\"2\"}}]\r\n\
        --b\r\ncontent-disposition: form-data; name=\"b.txt\"; filename=\"x\"\r\n\r\nsecond\r\n\
        --b\r\ncontent-disposition: form-data; name=\"a.txt\"\r\n\r\nfirst\r\n--b--\r\n";
    let kind = [("content-type", "multipart/form-data; boundary=b")];
    let path = "/v1/quilts?epochs=1&permanent=true&quilt_version=V1";
    let reply = server.send("PUT", path, &kind, form).await;
    let json = reply.json();
    let quilt = json["blobStoreResult"]["newlyCreated"]["blobObject"]["blobId"]
        .as_str()
        .unwrap();
    let stored = json["storedQuiltBlobs"].as_array().unwrap();
    assert_eq!(
        (&stored[0]["identifier"], &stored[1]["identifier"]),
        (&json!("a.txt"), &json!("b.txt"))
    );
    let second = stored[1]["quiltPatchId"].as_str().unwrap();
    for path in [
        format!("/v1/blobs/by-quilt-patch-id/{second}"),
        format!("/v1/blobs/by-quilt-id/{quilt}/b.txt"),
    ] {
        let patch = server.get(&path).await;
        assert_eq!(&patch.body[..], b"second");
        assert_eq!(patch.header("x-quilt-patch-identifier"), "b.txt");
        assert_eq!(patch.header("content-type"), "text/plain");
    }
    let patches = server
        .get(&format!("/v1/quilts/{quilt}/patches"))
        .await
        .json();
    assert_eq!(patches[1]["patch_id"], second);
    assert_eq!(patches[1]["tags"]["n"], "2");
    let none = server
        .get(&format!("/v1/blobs/by-quilt-id/{quilt}/c.txt"))
        .await;
    assert_eq!(
        (none.status.as_u16(), none.reason().as_str()),
        (404, "QUILT_PATCH_NOT_FOUND")
    );

    let bad = [
        "--b--\r\n",
        "nothing of the kind",
        "--b\r\ncontent-disposition: form-data; name=\"_x\"\r\n\r\n1\r\n--b--\r\n",
        "--b\r\ncontent-disposition: form-data; name=\"x\"\r\n\r\n1\r\n\
         --b\r\ncontent-disposition: form-data; name=\"x\"\r\n\r\n2\r\n--b--\r\n",
        "--b\r\ncontent-disposition: form-data; name=\"_metadata\"\r\n\r\n{\r\n--b--\r\n",
        "--b\r\ncontent-disposition: form-data; name=\"_metadata\"\r\n\r\n[{\"identifier\":\"z\"}]\r\n--b--\r\n",
    ];
    for form in bad {
        let reply = server.send("PUT", "/v1/quilts", &kind, form).await;
        assert_eq!(
            (reply.status.as_u16(), reply.reason().as_str()),
            (400, "MALFORMED_REQUEST"),
            "{form}"
        );
    }
}
