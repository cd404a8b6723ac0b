// Calls the API with what openapi-generator makes of its description: URL, key, bodies to score and to have refused.
import { readFileSync } from "node:fs";
import { Configuration, CustomerFromJSON, PredictionsApi, ProblemFromJSON, ResponseError } from "./client/index";

const [url, key, scored, refused] = process.argv.slice(2);
const read = (file: string) => JSON.parse(readFileSync(file, "utf8")).map(CustomerFromJSON);
const api = new PredictionsApi(new Configuration({ basePath: url, apiKey: key }));

async function main() {
  for (const prediction of await api.predict({ customer: read(scored) })) {
    console.log(prediction.customerId, prediction.predictionId, prediction.nextOrderDays.chance50 === null);
  }
  try {
    await api.predict({ customer: read(refused) });
  } catch (error) {
    const problem = ProblemFromJSON(await (error as ResponseError).response.json());
    console.log(problem.code, problem.errors?.[0].pointer);
  }
}

main();
