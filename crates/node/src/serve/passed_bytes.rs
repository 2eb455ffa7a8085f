//! The bytes of a body that is passed on. This node keeps them as evidence like those of one that it answers itself, so the
//! same rule is for them, before anybody is asked: the other node may keep none, or be its user's friend.

use super::{
    admitted::Admitted, count::Room, engine::check_model, inference::Inference, paid_bytes,
};
use atoma_engine::Prompt;
use atoma_openai::request;
use atoma_types::{message::Endpoint, refusal::Refusal};

/// Whether the prompt explains the body, where evidence is kept of it.
pub(super) async fn check(inference: &Inference, admitted: &Admitted) -> Result<(), Refusal> {
    let Admitted {
        request,
        lease,
        task,
        body,
        ..
    } = admitted;
    // so many need no prompt, which isn't counted for them then
    let explains_itself = body.len() as u64 <= paid_bytes::BESIDE;
    if inference.billing.evidence.is_none() || explains_itself {
        return Ok(());
    }
    let header = request.message();
    let room = Room::of(task, header.max_units, lease.left());
    match header.endpoint {
        Endpoint::Embeddings => {
            let asked = request::embedding(body)?;
            check_model(task, &asked.model)?;
            let counting = (inference.counter).count_inputs(task, asked.inputs, body.len(), room);
            let (inputs, tokens) = counting.await?;
            paid_bytes::check(body.len(), &inputs, tokens, None)
        }
        Endpoint::ChatCompletions | Endpoint::Completions => {
            let mut asked = request::read_signed(request, body, task.engine.info().defaults)?;
            check_model(task, &asked.model)?;
            let prompt = std::mem::replace(&mut asked.prompt, Prompt::Tokens(Vec::new()));
            let counter = &inference.counter;
            let counting = counter.count_prompt(task, prompt, &asked.server, body.len(), room);
            let (prompt, measured) = counting.await?;
            let tokens = measured.likely as u64;
            let asked_with = std::slice::from_ref(&prompt);
            paid_bytes::check(body.len(), asked_with, tokens, Some(&asked.server))
        }
    }
}
