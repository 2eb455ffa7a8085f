//! `StateService`: who owns what, balances, dynamic fields, what coins are.

use super::{Services, invalid, mask, message, parse};
use crate::{
    genesis::{SUI_SUPPLY, USDC_SUPPLY},
    objects::{self, SUI},
    rules,
    state::OwnedCursor,
};
use atoma_types::{Address, ObjectId};
use bytes::Bytes;
use std::{cmp::Reverse, collections::BTreeMap};
use sui_rpc::proto::sui::rpc::v2 as pb;
use sui_sdk_types::{StructTag, TypeTag};
use tonic::{Request, Response, Status};

type Answer<T> = Result<Response<T>, Status>;

/// Items of a page that asks for no number.
const DEFAULT_PAGE: u32 = 50;
/// Items of a page at most, as on Sui.
const MAX_PAGE: u32 = 1_000;

fn page_size(given: Option<u32>) -> usize {
    given.unwrap_or(DEFAULT_PAGE).clamp(1, MAX_PAGE) as usize
}

/// A page's end as an opaque token.
fn token<T: serde::Serialize>(cursor: &T) -> Result<Bytes, Status> {
    bcs::to_bytes(cursor)
        .map(Bytes::from)
        .map_err(|error| Status::internal(error.to_string()))
}

fn from_token<T: serde::de::DeserializeOwned>(bytes: Option<Bytes>) -> Result<Option<T>, Status> {
    bytes
        .map(|bytes| bcs::from_bytes(&bytes).map_err(|_| invalid("page_token", "not one of ours")))
        .transpose()
}

/// The token of a page of owned objects: [`OwnedCursor`] with a plain number.
type OwnedToken = (StructTag, u64, ObjectId);

impl Services {
    fn balance(&self, owner: &Address, coin_type: &TypeTag) -> pb::Balance {
        let view = self.access.view.read();
        let in_coins = view
            .state
            .coins(owner, coin_type)
            .fold(0u64, |sum, (_, balance)| sum.saturating_add(balance));
        balance(coin_type, in_coins, view.state.balance(owner, coin_type))
    }
}

fn balance(coin_type: &TypeTag, in_coins: u64, in_address: u64) -> pb::Balance {
    let mut message = pb::Balance::default();
    message.coin_type = Some(coin_type.to_string());
    message.balance = Some(in_coins.saturating_add(in_address));
    message.coin_balance = Some(in_coins);
    message.address_balance = Some(in_address);
    message
}

/// Whether a type is the one asked for; without parameters it stands for all.
fn is_asked(asked: &StructTag, type_: &StructTag) -> bool {
    asked == type_
        || (asked.type_params().is_empty()
            && asked.address() == type_.address()
            && asked.module() == type_.module()
            && asked.name() == type_.name())
}

#[tonic::async_trait]
impl pb::state_service_server::StateService for Services {
    async fn list_owned_objects(
        &self,
        request: Request<pb::ListOwnedObjectsRequest>,
    ) -> Answer<pb::ListOwnedObjectsResponse> {
        let request = request.into_inner();
        let owner: Address = parse("owner", request.owner.as_deref())?;
        let asked: Option<StructTag> = request
            .object_type
            .as_deref()
            .map(|text| parse("object_type", Some(text)))
            .transpose()?;
        let after = from_token::<OwnedToken>(request.page_token)?
            .map(|(type_, balance, id)| -> OwnedCursor { (type_, Reverse(balance), id) });
        let size = page_size(request.page_size);
        let mask = mask(request.read_mask, "object_id,version,object_type");
        let mut response = pb::ListOwnedObjectsResponse::default();
        let view = self.access.view.read();
        let mut last = None;
        let owned = view.state.owned(&owner, after.as_ref());
        for (key, object) in
            owned.filter(|(key, _)| asked.as_ref().is_none_or(|a| is_asked(a, &key.0)))
        {
            if response.objects.len() == size {
                // there is more: the page ends at the one before
                response.next_page_token = last
                    .map(|(type_, balance, id): &OwnedCursor| token(&(type_, balance.0, id)))
                    .transpose()?;
                break;
            }
            response.objects.push(message::object(object, &mask));
            last = Some(key);
        }
        Ok(Response::new(response))
    }

    async fn get_balance(
        &self,
        request: Request<pb::GetBalanceRequest>,
    ) -> Answer<pb::GetBalanceResponse> {
        let request = request.into_inner();
        let owner = parse("owner", request.owner.as_deref())?;
        let coin_type = parse("coin_type", request.coin_type.as_deref())?;
        let mut response = pb::GetBalanceResponse::default();
        response.balance = Some(self.balance(&owner, &coin_type));
        Ok(Response::new(response))
    }

    async fn list_balances(
        &self,
        request: Request<pb::ListBalancesRequest>,
    ) -> Answer<pb::ListBalancesResponse> {
        let request = request.into_inner();
        let owner = parse("owner", request.owner.as_deref())?;
        let view = self.access.view.read();
        let mut sums: BTreeMap<TypeTag, u64> = BTreeMap::new();
        for (_, object) in view.state.owned(&owner, None) {
            if let Some((coin_type, balance)) = objects::as_coin(object) {
                let sum = sums.entry(coin_type.clone()).or_default();
                *sum = sum.saturating_add(balance);
            }
        }
        // there is no money of any other kind
        for coin_type in [&*SUI, &view.state.deployment().usdc] {
            if view.state.balance(&owner, coin_type) > 0 {
                sums.entry(coin_type.clone()).or_default();
            }
        }
        let mut response = pb::ListBalancesResponse::default();
        // two kinds of coins at most: one page
        response.balances = sums
            .iter()
            .map(|(type_, sum)| balance(type_, *sum, view.state.balance(&owner, type_)))
            .collect();
        Ok(Response::new(response))
    }

    async fn get_coin_info(
        &self,
        request: Request<pb::GetCoinInfoRequest>,
    ) -> Answer<pb::GetCoinInfoResponse> {
        let request = request.into_inner();
        let coin_type: TypeTag = parse("coin_type", request.coin_type.as_deref())?;
        let usdc = self.access.view.read().state.deployment().usdc.clone();
        let (decimals, symbol, name, description, supply) = if coin_type == *SUI {
            (9, "SUI", "Sui", "Pays for gas", SUI_SUPPLY)
        } else if coin_type == usdc {
            (
                6,
                "USDC",
                "Test USDC",
                "Test money: worth nothing",
                USDC_SUPPLY,
            )
        } else {
            return Err(Status::not_found(format!("no coin {coin_type}")));
        };
        let mut metadata = pb::CoinMetadata::default();
        metadata.decimals = Some(decimals);
        metadata.symbol = Some(symbol.to_owned());
        metadata.name = Some(name.to_owned());
        metadata.description = Some(description.to_owned());
        let mut treasury = pb::CoinTreasury::default();
        treasury.total_supply = Some(supply);
        treasury.supply_state = Some(pb::coin_treasury::SupplyState::Fixed as i32);
        let mut response = pb::GetCoinInfoResponse::default();
        response.coin_type = Some(coin_type.to_string());
        response.metadata = Some(metadata);
        response.treasury = Some(treasury);
        Ok(Response::new(response))
    }

    async fn list_dynamic_fields(
        &self,
        request: Request<pb::ListDynamicFieldsRequest>,
    ) -> Answer<pb::ListDynamicFieldsResponse> {
        let request = request.into_inner();
        let parent: ObjectId = parse("parent", request.parent.as_deref())?;
        let after = from_token::<OwnedToken>(request.page_token)?
            .map(|(type_, balance, id)| -> OwnedCursor { (type_, Reverse(balance), id) });
        let size = page_size(request.page_size);
        let mask = mask(request.read_mask, "parent,field_id");
        type Message = pb::DynamicField;
        let mut response = pb::ListDynamicFieldsResponse::default();
        let view = self.access.view.read();
        let deployment = view.state.deployment();
        let mut last = None;
        for (key, object) in view.state.owned(&parent, after.as_ref()) {
            let Some(field) = rules::field(deployment, parent, object) else {
                continue;
            };
            if response.dynamic_fields.len() == size {
                response.next_page_token = last
                    .map(|(type_, balance, id): &OwnedCursor| token(&(type_, balance.0, id)))
                    .transpose()?;
                break;
            }
            last = Some(key);
            let mut message = Message::default();
            if mask.contains(Message::KIND_FIELD) {
                message.kind = Some(pb::dynamic_field::DynamicFieldKind::Field as i32);
            }
            if mask.contains(Message::PARENT_FIELD) {
                message.parent = Some(parent.to_string());
            }
            if mask.contains(Message::FIELD_ID_FIELD) {
                message.field_id = Some(object.object_id().to_string());
            }
            if let Some(mask) = mask.subtree(Message::FIELD_OBJECT_FIELD) {
                message.field_object = Some(message::object(object, &mask));
            }
            if mask.contains(Message::NAME_FIELD) {
                message.name = Some(named(&field.key_type, field.key));
            }
            if mask.contains(Message::VALUE_FIELD) {
                message.value = Some(named(&field.value_type, field.value));
            }
            if mask.contains(Message::VALUE_TYPE_FIELD) {
                message.value_type = Some(field.value_type.to_string());
            }
            response.dynamic_fields.push(message);
        }
        Ok(Response::new(response))
    }
}

fn named(type_: &TypeTag, value: Vec<u8>) -> pb::Bcs {
    let mut message = pb::Bcs::default();
    message.name = Some(type_.to_string());
    message.value = Some(value.into());
    message
}
