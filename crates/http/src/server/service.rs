//! Between a connection and its routes: each request is counted from its head to the end of its
//! answer, and its body must keep coming.

use super::{
    Limits,
    activity::{Activity, RequestUnderWay},
    request_body::RequestBody,
    stream_timeout,
};
use axum::{Router, body::Body, routing::future::RouteFuture};
use bytes::Bytes;
use http::{Request, Response, Version};
use http_body::{Frame, SizeHint};
use hyper::{body::Incoming, service::Service};
use std::{
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};
use tower::Service as _;

/// One connection's way to the routes.
#[derive(Clone, Debug)]
pub(super) struct RouteService {
    pub(super) routes: Router,
    pub(super) limits: Arc<Limits>,
    pub(super) activity: Arc<Activity>,
}

impl Service<Request<Incoming>> for RouteService {
    type Response = Response<ResponseBody>;
    type Error = Infallible;
    type Future = Answering;

    fn call(&self, request: Request<Incoming>) -> Answering {
        let version = request.version();
        let under_way = self.activity.begin(version);
        let request = request.map(|body| RequestBody::new(body, &self.limits));
        Answering {
            // a router is always ready
            answer: self.routes.clone().call(request),
            under_way: Some(under_way),
            is_http2: version == Version::HTTP_2,
        }
    }
}

/// A request that is being answered.
pub(super) struct Answering {
    answer: RouteFuture<Infallible>,
    under_way: Option<RequestUnderWay>,
    is_http2: bool,
}

impl Future for Answering {
    type Output = Result<Response<ResponseBody>, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let Ok(response) = ready!(Pin::new(&mut this.answer).poll(cx));
        let (under_way, is_http2) = (this.under_way.take(), this.is_http2);
        Poll::Ready(Ok(response.map(|body| ResponseBody {
            body,
            is_http2,
            _under_way: under_way,
        })))
    }
}

/// An answer's body, which keeps its request under way.
#[derive(Debug)]
pub(super) struct ResponseBody {
    body: Body,
    is_http2: bool,
    _under_way: Option<RequestUnderWay>,
}

impl http_body::Body for ResponseBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        if self.is_http2 {
            stream_timeout::body_polled(&polled);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
