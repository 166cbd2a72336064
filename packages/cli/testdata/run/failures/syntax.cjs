const { task } = require("@flyte-secrets/sdk");

exports.a = task({ name: "a" }, async () => {
	const x y = 3;
});
