//! Calls the API with what openapi-generator makes of its description: URL, key, bodies to score and to have refused.
use openapi::apis::configuration::{ApiKey, Configuration};
use openapi::apis::predictions_api::{predict, PredictError};
use openapi::apis::Error;
use openapi::models::Customer;

fn read(file: &str) -> Vec<Customer> {
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let given: Vec<String> = std::env::args().collect();
    let key = ApiKey { prefix: None, key: given[2].clone() };
    let settings = Configuration { base_path: given[1].clone(), api_key: Some(key), ..Configuration::new() };
    for prediction in predict(&settings, read(&given[3])).await.unwrap() {
        let unknown = prediction.next_order_days.chance_50.is_none();
        println!("{} {} {}", prediction.customer_id, prediction.prediction_id, unknown);
    }
    if let Err(Error::ResponseError(refused)) = predict(&settings, read(&given[4])).await {
        // all refusals have one type, whose first name the generator gives to each
        if let Some(PredictError::Status401(problem)) = refused.entity {
            println!("{} {}", problem.code, problem.errors.unwrap().unwrap()[0].pointer);
        }
    }
}
