use super::*;
use aws_lc_rs::digest::{SHA256, digest};

const POOL: &str = "AbCdEf123";
const USER: &str = "alice-uuid";
const PASSWORD: &str = "Passw0rd!";
const TIMESTAMP: &str = "Tue Nov 3 09:05:07 UTC 2026";
const SECRET_BLOCK: &[u8] = b"secret-block-bytes";

/// A sign-in of [`USER`], worked out by other code than ours: the client's formulas and the server's, on Python's
/// integers, which agreed with each other.
struct Vector {
    of: &'static str,
    salt: &'static str,
    /// The client's private key.
    a: &'static str,
    /// The server's private key.
    b: &'static str,
    /// SHA-256 of `SRP_B`, as hexadecimal without leading zeros.
    hash_of_public: &'static str,
    signature: &'static str,
}

const VECTORS: &[Vector] = &[
    Vector {
        of: "nothing special",
        salt: "0f5180f383a5dcf31ae239e5999f8e6b",
        a: "7dabe929c4a334bfc6cd75e9bb049a79d7a7a3cc8c3d5f169293de8fc88b2875",
        b: "14aa4e719d3c7dec00a61f933d6c51e370eb9a0a96263ae6c5e818fac0433cbd",
        hash_of_public: "59eecea3f2b0f87e81a0e5ab2d6a3d0ef25bd0a4a3a022f19eeae6ffdbf829f0",
        signature: "TPTIscV8YxJcwa6RkztYscacSWNDvebC58D9ZXFxRhE=",
    },
    Vector {
        of: "a salt that begins with zeros",
        salt: "000080f383a5dcf31ae239e5999f8e6b",
        a: "e4163207d094499602f0ee99731c94521919e93ad11745ad498893101c593af5",
        b: "59001ac9406329bc65b00a2d35d148805071950eadec6f117d836e77af67d461",
        hash_of_public: "3608b0e32d1b04902d9f927757175ad3e00a6119347bb11cf747965c2225d506",
        signature: "hZ7zix8yCJHub3r9T1MVVNSd3C6VTAj1re5Fk7Tozcg=",
    },
    Vector {
        of: "a salt that begins with a zero and a set bit",
        salt: "009080f383a5dcf31ae239e5999f8e6b",
        a: "bef7e268ffe976ab60581ccace1d62e05b4c8012ede7bd0cffb88309fadb8908",
        b: "89be9c1c8eb5140f16f4488157241955b91dddd91389b372a341738c837a7935",
        hash_of_public: "c9aa29ba0dd6a19e0713eaa6b5192c2c67bb36016f023875fcc10cc5311909c3",
        signature: "bgF/IkQJTrIimRrCncMC5/tGqXLEoUmJYE9t9UeOcaU=",
    },
    Vector {
        of: "a salt that begins with a set bit",
        salt: "905180f383a5dcf31ae239e5999f8e6b",
        a: "b766ff10b437bdb5a51149bbe060a72424114258751b4c8349a047dc4ac87fc0",
        b: "7608d9425d111a9d5e6c9992b5fb12e0d9090b89065550964f1a8a1d93d20470",
        hash_of_public: "8c0070657f3fb4cba3965f11c1ba8604f5f7fff4bf065d9978e451745e2c2aea",
        signature: "5YirnPcIiI/dBZxue98xcFzzCJw9rlBPhxE8YXjw2Qo=",
    },
    Vector {
        of: "a client's key that begins with a zero",
        salt: "0f5180f383a5dcf31ae239e5999f8e6b",
        a: "d09fe2930ddf3e1d94ed1f6837e221464dd75f6766618c34bb6de8f8d79d81c5",
        b: "824b46c5a941c30ca53c9521b8d92d95b9d3fbd21086a15edce937e4692e0865",
        hash_of_public: "0c493adb7e59ab813850e3020aab3fcd5cede1a619de9d28ba3a91873ae9940d",
        signature: "USank3iHCt6fnGasfLQ11cLZnU0bnSi3kFVtMoY5CQw=",
    },
    Vector {
        of: "a server's key that begins with a zero",
        salt: "0f5180f383a5dcf31ae239e5999f8e6b",
        a: "176d1d726b3e8c80507e30febea757ef6e762f2882d6eea9867b08ebe3871208",
        b: "6338dfa3c2c546d1113b03b3cf37c8e6b2036a1e560d30f076e20c76c7215ae5",
        hash_of_public: "1e04382707dab3df9f199ae16a446026136ec6c4205f0e3aa96c7a2c9d16be56",
        signature: "s01bZAq/76aEF3kqZSur28nHbqziAvakDv38/L1V/ls=",
    },
    Vector {
        of: "a u that begins with a zero",
        salt: "0f5180f383a5dcf31ae239e5999f8e6b",
        a: "8586042a0e1ee365b4a8f7de1e824e0a47b7b771af94e003b2f1ee981ea26af2",
        b: "3e8159a08a15b5a56ac8daf05039884806d064592db505be75a686843e7aabbf",
        hash_of_public: "c494c528f41ac4e38df8b2799c024b4904ae4263b414eae840f2348a69ce603f",
        signature: "hLQO/45KG00hmBqfv5H4znzO5TvPrZlUdOyuFX2lXoM=",
    },
    Vector {
        of: "a shared number that begins with a zero",
        salt: "0f5180f383a5dcf31ae239e5999f8e6b",
        a: "8586042a0e1ee365b4a8f7de1e824e0a47b7b771af94e003b2f1ee981ea26af2",
        b: "ab87eba5f658b393e4c4a6e60709e452aa3075b45f152e63173eca1e7d248017",
        hash_of_public: "8053725b1359f264d385c8b98c36ec275d0a63a501cc7bfe157030b27a56417f",
        signature: "aMZmNY92pekMmAy1FrXrmBxXOC4g/KfjqjmqJfF/dEE=",
    },
];

fn unhex<const LENGTH: usize>(hex: &str) -> [u8; LENGTH] {
    let byte = |at: usize| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).expect("two digits");
    std::array::from_fn(byte)
}

fn sha256(bytes: &[u8]) -> String {
    hex(digest(&SHA256, bytes).as_ref())
}

fn verifier(salt: [u8; 16], password: &str) -> Verifier {
    Verifier { v: group::power_of_g(&private_key(&salt, POOL, USER, password)).to_bytes(), salt }
}

fn proof(signature: &str) -> Proof {
    Proof::read(&STANDARD.encode(SECRET_BLOCK), signature, TIMESTAMP).expect("a proof")
}

#[test]
fn other_peoples_sign_ins_come_out_the_same() {
    for vector in VECTORS {
        let verifier = verifier(unhex(vector.salt), PASSWORD);
        let srp_a = hex(&group::power_of_g(&unhex(vector.a)).to_bytes());
        let (challenge, srp_b) = Challenge::with_private_key(&srp_a, &verifier, unhex(vector.b)).expect("a challenge");
        assert_eq!(sha256(srp_b.trim_start_matches('0').as_bytes()), vector.hash_of_public, "{}", vector.of);
        assert!(challenge.verify(&verifier, POOL, USER, &proof(vector.signature)), "{}", vector.of);
    }
}

/// A second opinion, made with pycognito: private keys of 1,024 bits, which take [`power`] below.
#[test]
fn every_step_comes_out_as_in_pycognito() {
    #[track_caller]
    fn check(number: &[u8], hash: &str) {
        assert_eq!(sha256(&signed(number)), hash);
    }
    let generator = Element::from_bytes(&[2]);
    let salt = unhex(&"d1ce55a1".repeat(4));
    let secret = private_key(&salt, POOL, USER, PASSWORD);
    assert_eq!(hex(&secret), "60d6af69af86f03696918e4675229bbc07e82f4164c475891b46de17ad439f6e");
    let verifier = verifier(salt, PASSWORD);
    check(&verifier.v, "9a81df846a8113ecfa5db10d9bb32696895aae79c75bfa314ba3479ab4b8e298");

    let clients = power(&generator, &unhex::<128>(&"0123456789abcdef".repeat(16)));
    check(&clients.to_bytes(), "14d555a4aa95d61565f0f136b94b3d7193eec499c432a5dd246c46f1991217e1");
    let servers_private = unhex::<128>(&"fedcba9876543210".repeat(16));
    let v = Element::from_bytes(&verifier.v);
    let servers = power(&generator, &servers_private).plus(&v.times_k()).to_bytes();
    check(&servers, "0292de7667cf4c1d626c6cae0862c22df75a3533e9ea72c3f44b9405c00ca510");

    let u: Exponent = unhex(&sha256(&[signed(&clients.to_bytes()), signed(&servers)].concat()));
    assert_eq!(hex(&u), "adddcc85b0643204d92a539838c97a078fd7f723d3921d833aef9efea0746574");
    let shared = power(&clients.times(&v.power(&u)), &servers_private);
    check(&shared.to_bytes(), "8ec9103e9fb7237ff387538ee7aa7b77c20113abb0732e28e6c0de26e5f19ed6");
    assert_eq!(hex(&session_key(&shared, &u)), "c5a8921a84708454ffa9af393f5eed3c");
}

/// To a longer exponent than a server needs.
fn power(base: &Element, exponent: &[u8]) -> Element {
    let one = base.power(&[0; 32]);
    let half: Exponent = std::array::from_fn(|at| if at == 0 { 0x80 } else { 0 });
    exponent.chunks_exact(32).fold(one, |power, chunk| {
        let shifted = power.power(&half);
        shifted.times(&shifted).times(&base.power(chunk.try_into().expect("32 bytes")))
    })
}

/// What a client answers that knows the password, worked out as the clients do it.
fn signature_of(password: &str, salt: &[u8; 16], a: &Exponent, srp_b: &str) -> String {
    let (public_a, public_b) = (group::power_of_g(a).to_bytes(), number(srp_b).expect("a number"));
    let u: Exponent = unhex(&sha256(&[signed(&public_a), signed(&public_b)].concat()));
    let x = private_key(salt, POOL, USER, password);
    // (B − k·g^x)^(a + u·x) = (B − k·g^x)^a · ((B − k·g^x)^u)^x
    let v = group::power_of_g(&x);
    let base = Element::from_bytes(&public_b).minus(&v.times_k());
    let shared = base.power(a).times(&base.power(&u).power(&x));
    let key = hmac::Key::new(hmac::HMAC_SHA256, &session_key(&shared, &u));
    let message = [POOL.as_bytes(), USER.as_bytes(), SECRET_BLOCK, TIMESTAMP.as_bytes()].concat();
    STANDARD.encode(hmac::sign(&key, &message))
}

#[test]
fn only_the_password_opens() {
    let random = Random::seeded(1);
    let verifier = Verifier::new(POOL, USER, PASSWORD, &random);
    let a = random.bytes();
    let srp_a = hex(&group::power_of_g(&a).to_bytes());
    let (challenge, srp_b) = Challenge::begin(&srp_a, &verifier, &random).expect("a challenge");
    let right = signature_of(PASSWORD, &verifier.salt, &a, &srp_b);
    assert!(challenge.verify(&verifier, POOL, USER, &proof(&right)));
    assert!(!challenge.verify(&verifier, POOL, USER, &proof(&signature_of("passw0rd!", &verifier.salt, &a, &srp_b))));
    assert!(!challenge.verify(&verifier, POOL, USER, &proof("")));
    assert!(!challenge.verify(&verifier, POOL, "bob-uuid", &proof(&right)));
    assert!(!challenge.verify(&verifier, "OtherPool", USER, &proof(&right)));
    let late = Proof::read(&STANDARD.encode(SECRET_BLOCK), &right, "Tue Nov 3 09:05:08 UTC 2026").expect("a proof");
    assert!(!challenge.verify(&verifier, POOL, USER, &late));
    let elsewhere = Proof::read(&STANDARD.encode(b"another block"), &right, TIMESTAMP).expect("a proof");
    assert!(!challenge.verify(&verifier, POOL, USER, &elsewhere));
}

#[test]
fn a_challenge_survives_its_way_through_the_client() {
    let vector = &VECTORS[0];
    let verifier = verifier(unhex(vector.salt), PASSWORD);
    let srp_a = hex(&group::power_of_g(&unhex(vector.a)).to_bytes());
    let (challenge, _) = Challenge::with_private_key(&srp_a, &verifier, unhex(vector.b)).expect("a challenge");
    let text = serde_json::to_string(&challenge).expect("JSON");
    let back: Challenge = serde_json::from_str(&text).expect("a challenge");
    assert!(back.verify(&verifier, POOL, USER, &proof(vector.signature)));
    assert!(text.len() < 620, "it is carried in every sign-in: {}", text.len());
}

#[test]
fn a_verifier_matches_its_password_alone() {
    let verifier = Verifier::new(POOL, USER, PASSWORD, &Random::seeded(1));
    assert!(verifier.matches(POOL, USER, PASSWORD));
    assert!(!verifier.matches(POOL, USER, "Passw0rd?"));
    assert!(!verifier.matches(POOL, "bob-uuid", PASSWORD));
    assert!(!verifier.matches("OtherPool", USER, PASSWORD));
}

#[test]
fn equal_passwords_have_different_verifiers() {
    let random = Random::seeded(1);
    let [one, other] = [(); 2].map(|()| Verifier::new(POOL, USER, PASSWORD, &random));
    assert!(one.salt != other.salt && one.v != other.v);
}

#[test]
fn nobody_looks_like_somebody_and_always_the_same() {
    let of = |secret: u8, pool, name| Verifier::of_nobody(&[secret; 32], pool, name);
    assert!(of(1, POOL, "ann") == of(1, POOL, "ann"));
    for other in [of(1, POOL, "bob"), of(1, "OtherPool", "ann"), of(2, POOL, "ann")] {
        assert!(of(1, POOL, "ann").salt != other.salt);
    }
    let (_, srp_b) = Challenge::begin("1234", &of(1, POOL, "ann"), &Random::seeded(1)).expect("a challenge");
    assert!(srp_b.len() > 760, "{}", srp_b.len());
    assert!(!of(1, POOL, "ann").matches(POOL, USER, PASSWORD));
}

#[track_caller]
fn check_public_key(srp_a: &str, accepted: bool) {
    let verifier = Verifier::of_nobody(&[1; 32], POOL, "ann");
    let begun = Challenge::begin(srp_a, &verifier, &Random::seeded(1));
    assert_eq!(begun.map(|_| ()), if accepted { Ok(()) } else { Err(SrpError::PublicKey) }, "{srp_a}");
}

#[test]
fn public_keys_that_give_the_answer_away_are_refused() {
    let n = hex(&Element::from_bytes(&[0]).minus(&Element::from_bytes(&[1])).to_bytes());
    let n = format!("{}f", &n[..767]); // N − 1 ends in e
    check_public_key(&n, false);
    check_public_key(&format!("00{n}"), false);
    check_public_key("0", false);
    check_public_key("000000", false);
    check_public_key("1", true);
}

#[test]
fn public_keys_are_hexadecimal_numbers_of_the_groups_size() {
    check_public_key("", false);
    check_public_key("xyz", false);
    check_public_key("+1", false);
    check_public_key("0x12", false);
    check_public_key("1é", false);
    check_public_key("abc", true);
    check_public_key("ABC", true);
    check_public_key(&"f".repeat(768), true);
    check_public_key(&"f".repeat(769), false);
    check_public_key(&format!("00{}", "f".repeat(768)), true);
}

#[test]
fn a_long_way_of_writing_a_public_key_is_the_same_key() {
    let verifier = Verifier::of_nobody(&[1; 32], POOL, "ann");
    let u = |srp_a| Challenge::begin(srp_a, &verifier, &Random::seeded(1)).expect("a challenge").0.u;
    assert_eq!(u("abc"), u("00000ABC"));
}

#[test]
fn time_stamps_are_read_in_javas_spelling() {
    let read = |text: &str| Proof::read("", "", text).map(|proof| proof.timestamp);
    assert_eq!(read(TIMESTAMP).as_deref(), Ok(TIMESTAMP));
    assert_eq!(read("Tue Nov 03 09:05:07 UTC 2026").as_deref(), Ok(TIMESTAMP));
    for wrong in ["", "2026-11-03T09:05:07Z", "ti. nov. 3 09:05:07 UTC 2026", "Tue Nov 31 09:05:07 UTC 2026"] {
        assert_eq!(read(wrong), Err(SrpError::Timestamp), "{wrong:?}");
    }
}

#[test]
fn a_name_that_nobody_has_may_be_of_any_length() {
    let name = "a".repeat(1_000_000);
    let nobody = || Verifier::of_nobody(&[7; 32], POOL, &name);
    assert_eq!(nobody(), nobody());
}
