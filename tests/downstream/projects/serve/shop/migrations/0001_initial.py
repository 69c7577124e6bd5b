from django.db import migrations, models


def add_items(apps, schema_editor):
    item = apps.get_model("shop", "Item")
    item.objects.bulk_create([item(name=f"item{number}") for number in range(5)])


class Migration(migrations.Migration):
    operations = [
        migrations.CreateModel(
            "Item", [("id", models.BigAutoField(primary_key=True)), ("name", models.CharField(max_length=50))]
        ),
        migrations.RunPython(add_items),
    ]
