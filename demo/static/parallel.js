document.getElementById("parallel").addEventListener("click", async () => {
  const outcome = document.getElementById("outcome");
  const post = (path) => fetch(path, { method: "POST", redirect: "manual" });
  outcome.textContent = "Firing…";
  await post("parallel/reset");
  const numbers = Array.from({ length: 20 }, (_, number) => number);
  await Promise.all(numbers.map((number) => post(`parallel/${number}`)));
  const page = await (await fetch("./")).text();
  const kept = new DOMParser().parseFromString(page, "text/html").getElementById("outcome");
  outcome.textContent = kept.textContent;
});
