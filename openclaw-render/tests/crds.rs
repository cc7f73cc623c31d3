//! dump
#[test]
fn dump() {
    for crd in openclaw_render::api::custom_resource_definitions() {
        let name = crd["metadata"]["name"].as_str().unwrap().to_owned();
        std::fs::write(format!("/tmp/apigen/{name}.json"), crd.to_string()).unwrap();
    }
}
