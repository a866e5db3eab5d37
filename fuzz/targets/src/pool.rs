//! What user pools read: filters, tokens, numbers of SRP.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::house::{self, House, PASSWORD};

/// A filter of `ListUsers`: it finds some of the three users or is refused, and pages come to an end.
pub fn list_users_filter(bytes: &[u8]) {
    let filter = String::from_utf8_lossy(bytes);
    house::visit(|house| {
        let (status, all) = house.pools("ListUsers", &json!({"UserPoolId": house.pool, "Filter": filter}));
        if status != 200 {
            return;
        }
        let found = all["Users"].as_array().map_or(0, Vec::len);
        let (mut input, mut paged) = (json!({"UserPoolId": house.pool, "Filter": filter, "Limit": 1}), 0);
        loop {
            let (status, page) = house.pools("ListUsers", &input);
            assert_eq!(status, 200, "{page}");
            paged += page["Users"].as_array().map_or(0, Vec::len);
            assert!(paged <= found, "pages hold more than the list: {filter}");
            match page.get("PaginationToken") {
                Some(token) => input["PaginationToken"] = token.clone(),
                None => break,
            }
        }
        assert_eq!(paged, found, "{filter}");
    });
}

/// A token that nobody gave: as a text of its own, or a real one changed by the input. None opens.
pub fn access_token(bytes: &[u8]) {
    house::visit(|house| {
        let text = String::from_utf8_lossy(bytes);
        refused(house, &text);
        let auth = json!({"USERNAME": "ann@example.com", "PASSWORD": PASSWORD});
        let auth = json!({"ClientId": house.client, "AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": auth});
        let (status, mut signed_in) = house.pools("InitiateAuth", &auth);
        if status != 200 {
            return; // locked out for a while, by an input before this
        }
        let tokens = signed_in["AuthenticationResult"].take();
        for name in ["AccessToken", "IdToken", "RefreshToken"] {
            let token = house::text(&tokens[name]);
            if let Some(changed) = changed(&token, bytes) {
                refused(house, &changed);
            }
        }
        let (status, _) = house.pools("GetUser", &json!({"AccessToken": tokens["IdToken"]}));
        assert_ne!(status, 200, "an id token is no access token");
    });
}

/// `SRP_A`, and an answer to the challenge that proves nothing.
pub fn srp(bytes: &[u8]) {
    let [srp_a, claim, timestamp] = crate::parts(bytes);
    house::visit(|house| {
        for username in ["ann@example.com", "nobody@example.com"] {
            let parameters = json!({"USERNAME": username, "SRP_A": srp_a});
            let input = json!({"ClientId": house.client, "AuthFlow": "USER_SRP_AUTH", "AuthParameters": parameters});
            let (status, challenge) = house.pools("InitiateAuth", &input);
            if status != 200 {
                continue;
            }
            let given = &challenge["ChallengeParameters"];
            let sealed = house::text(&given["SECRET_BLOCK"]);
            let blocks = [sealed.clone(), claim.clone()];
            for block in blocks {
                let responses = json!({
                    "USERNAME": given["USERNAME"], "PASSWORD_CLAIM_SECRET_BLOCK": block,
                    "PASSWORD_CLAIM_SIGNATURE": STANDARD.encode(&claim), "TIMESTAMP": timestamp,
                });
                let input = json!({
                    "ClientId": house.client, "ChallengeName": "PASSWORD_VERIFIER", "ChallengeResponses": responses,
                });
                let (status, answer) = house.pools("RespondToAuthChallenge", &input);
                assert_ne!(status, 200, "signed in without a password: {answer}");
            }
        }
    });
}

/// No operation that takes a token takes this one.
fn refused(house: &House, token: &str) {
    let refresh = json!({"REFRESH_TOKEN": token});
    let responses = json!({"USERNAME": "ann@example.com", "NEW_PASSWORD": PASSWORD});
    let calls: [(&str, Value); 5] = [
        ("GetUser", json!({"AccessToken": token})),
        (
            "InitiateAuth",
            json!({"ClientId": house.client, "AuthFlow": "REFRESH_TOKEN_AUTH", "AuthParameters": refresh}),
        ),
        (
            "RespondToAuthChallenge",
            json!({
                "ClientId": house.client, "ChallengeName": "NEW_PASSWORD_REQUIRED", "Session": token,
                "ChallengeResponses": responses,
            }),
        ),
        ("RevokeToken", json!({"ClientId": house.client, "Token": token})),
        ("ListUsers", json!({"UserPoolId": house.pool, "PaginationToken": token})),
    ];
    for (operation, input) in calls {
        let (status, answer) = house.pools(operation, &input);
        assert_ne!(status, 200, "{operation} took {token}: {answer}");
    }
}

/// The token with some of its characters replaced: three bytes of the input say where and by what.
fn changed(token: &str, edits: &[u8]) -> Option<String> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=";
    let mut changed = token.as_bytes().to_vec();
    for edit in edits.chunks_exact(3).take(16) {
        let at = usize::from(u16::from_be_bytes([edit[0], edit[1]])) % changed.len();
        changed[at] = ALPHABET[usize::from(edit[2]) % ALPHABET.len()];
    }
    let changed = String::from_utf8(changed).ok()?;
    (changed != token).then_some(changed)
}
