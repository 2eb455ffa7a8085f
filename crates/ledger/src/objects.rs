//! Objects of any type: asked for by id, held against their Move type, decoded from their BCS.

use crate::{
    BuildError, ExecuteError, ReadError,
    connection::Inner,
    grpc_status::GrpcStatus,
    malformed::{MalformedAnswer, parse},
    mask::mask,
};
use atoma_types::{Address, ObjectId, chain::Table};
use futures::TryStreamExt;
use serde::de::DeserializeOwned;
use sui_rpc::proto::sui::rpc::v2::{
    self as proto, BatchGetObjectsRequest, GetObjectRequest, ListDynamicFieldsRequest,
    ListOwnedObjectsRequest, owner::OwnerKind,
};
use sui_sdk_types::StructTag;
use tonic::Code;

/// Objects in one question: as many as full nodes take.
const BATCH: usize = 50;
/// Table entries or owned objects in one page.
const PAGE: u32 = 500;

pub(crate) const OBJECT_FIELDS: &[&str] =
    &["object_id", "version", "owner", "object_type", "contents"];

impl Inner {
    /// An object of the right type; `what` is what it is called where there is none.
    pub(crate) async fn read<T: DeserializeOwned>(
        &self,
        id: ObjectId,
        what: &'static str,
        expected: &StructTag,
    ) -> Result<T, ReadError> {
        let object = self.object(id, what).await?;
        self.typed(id, &object, expected)
    }

    /// All objects of a type that an address owns.
    pub(crate) async fn read_owned<T: DeserializeOwned>(
        &self,
        owner: Address,
        expected: &StructTag,
    ) -> Result<Vec<T>, ReadError> {
        let request = ListOwnedObjectsRequest::default()
            .with_owner(owner.to_string())
            .with_object_type(expected.to_string())
            .with_page_size(PAGE)
            .with_read_mask(mask(OBJECT_FIELDS));
        let stream = self.client.list_owned_objects(request);
        let objects: Vec<proto::Object> = stream
            .try_collect()
            .await
            .map_err(|status| self.refused(&status))?;
        objects.iter().map(decode).collect()
    }

    /// The objects that a table names.
    pub(crate) async fn read_table<T: DeserializeOwned>(
        &self,
        table: &Table,
        expected: &StructTag,
    ) -> Result<Vec<T>, ReadError> {
        let request = ListDynamicFieldsRequest::default()
            .with_parent(table.id.to_string())
            .with_page_size(PAGE)
            .with_read_mask(mask(&["field_id", "name", "value"]));
        let fields: Vec<proto::DynamicField> = self
            .client
            .list_dynamic_fields(request)
            .try_collect()
            .await
            .map_err(|status| self.refused(&status))?;
        let ids = fields
            .iter()
            .map(|field| field.value().deserialize::<ObjectId>())
            .collect::<Result<Vec<_>, _>>()
            .map_err(MalformedAnswer::TableEntry)?;
        self.read_many(&ids, expected).await
    }

    /// Several objects of one type; those that don't exist are left out.
    pub(crate) async fn read_many<T: DeserializeOwned>(
        &self,
        ids: &[ObjectId],
        expected: &StructTag,
    ) -> Result<Vec<T>, ReadError> {
        self.objects(ids, OBJECT_FIELDS)
            .await?
            .iter()
            .map(|object| {
                let id = parse("object id", object.object_id())?;
                self.typed(id, object, expected)
            })
            .collect()
    }

    /// Decodes an object that is of the right type, and remembers its initial shared version.
    pub(crate) fn typed<T: DeserializeOwned>(
        &self,
        id: ObjectId,
        object: &proto::Object,
        expected: &StructTag,
    ) -> Result<T, ReadError> {
        if object.object_type().parse::<StructTag>().as_ref() != Ok(expected) {
            return Err(ReadError::WrongType {
                id,
                found: object.object_type().to_owned(),
                expected: expected.to_string(),
            });
        }
        if let Some(version) = shared_version(object) {
            self.shared.write().insert(id, version);
        }
        decode(object)
    }

    /// An object of whatever type.
    pub(crate) async fn object(
        &self,
        id: ObjectId,
        what: &'static str,
    ) -> Result<proto::Object, ReadError> {
        let request = GetObjectRequest::new(&id).with_read_mask(mask(OBJECT_FIELDS));
        let mut client = self.client.clone();
        let not_found = || ReadError::NotFound {
            what,
            id: id.to_string(),
        };
        match client.ledger_client().get_object(request).await {
            Ok(answer) => answer.into_inner().object.ok_or_else(not_found),
            Err(status) if status.code() == Code::NotFound => Err(not_found()),
            Err(status) => Err(self.refused(&status)),
        }
    }

    /// Several objects at once; those that don't exist are left out.
    pub(crate) async fn objects(
        &self,
        ids: &[ObjectId],
        fields: &[&str],
    ) -> Result<Vec<proto::Object>, ReadError> {
        let mut objects = Vec::with_capacity(ids.len());
        let mut client = self.client.clone();
        for batch in ids.chunks(BATCH) {
            let requests = batch.iter().map(GetObjectRequest::new).collect();
            let request = BatchGetObjectsRequest::default()
                .with_requests(requests)
                .with_read_mask(mask(fields));
            let answer = client.ledger_client().batch_get_objects(request).await;
            let answer = answer.map_err(|status| self.refused(&status))?.into_inner();
            let found = answer
                .objects
                .into_iter()
                .map(proto::GetObjectResult::to_result);
            for result in found {
                match result {
                    Ok(object) => objects.push(object),
                    Err(status) if Code::from(status.code) == Code::NotFound => {}
                    Err(status) => {
                        return Err(ReadError::Rejected(GrpcStatus(tonic::Status::new(
                            Code::from(status.code),
                            status.message,
                        ))));
                    }
                }
            }
        }
        Ok(objects)
    }

    /// The version at which an object was shared; asked for once.
    pub(crate) async fn initial_version(&self, id: ObjectId) -> Result<u64, ExecuteError> {
        if let Some(&version) = self.shared.read().get(&id) {
            return Ok(version);
        }
        let object = self.object(id, "object").await?;
        let version = shared_version(&object).ok_or(BuildError::NotShared(id))?;
        self.shared.write().insert(id, version);
        Ok(version)
    }
}

fn shared_version(object: &proto::Object) -> Option<u64> {
    let owner = object.owner();
    (owner.kind() == OwnerKind::Shared).then(|| owner.version())
}

/// An object out of its BCS; its type has been looked at.
pub(crate) fn decode<T: DeserializeOwned>(object: &proto::Object) -> Result<T, ReadError> {
    let read = bcs::from_bytes(object.contents().value());
    read.map_err(|source| {
        let id = object.object_id().to_owned();
        MalformedAnswer::Object { id, source }.into()
    })
}
